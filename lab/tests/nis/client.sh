# A client of NIS as Debian has it, in namespaces of its own: its files, its domain, its rpcbind and its ypbind. The first argument is the
# line of yp.conf, the others are commands; what each says comes behind a line with `--- ` and the command.
set -eu
mount -t proc proc /proc
mount -t tmpfs none /run
mount -t tmpfs none /var/yp
mkdir -p /var/yp/binding
echo "$1" > /run/yp.conf
printf '%s\n' 'passwd: nis' 'group: nis' 'initgroups: nis' 'hosts: nis' 'ethers: nis' 'netgroup: nis' > /run/nsswitch.conf
mount --bind /run/yp.conf /etc/yp.conf
mount --bind /run/nsswitch.conf /etc/nsswitch.conf
echo cluster > /proc/sys/kernel/domainname
rpcbind -f -w &
ypbind -foreground &
tries=0
until ypwhich >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo 'not bound'; exit 1; }
    sleep 0.1
done
shift
for command in "$@"; do
    echo "--- $command"
    sh -c "$command" 2>&1 || echo "exit code $?"
done
