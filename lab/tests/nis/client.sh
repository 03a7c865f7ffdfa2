# A client of NIS as Debian has it, in namespaces of its own: its files, its domain, its rpcbind and its ypbind. The first argument is the
# line of yp.conf, the others are commands; what each says comes behind a line with `--- ` and the command.
set -eu
mount -t proc proc /proc
mount -t tmpfs none /run
mount -t tmpfs none /var/yp
mkdir -p /var/yp/binding
: > /var/yp/nicknames
echo "$1" > /run/yp.conf
# rpcbind looks for its user and ypbind for localhost before NIS is there: files first.
printf '%s\n' 'passwd: files nis' 'group: files nis' 'hosts: files nis' 'ethers: nis' 'netgroup: nis' > /run/nsswitch.conf
mount --bind /run/yp.conf /etc/yp.conf
mount --bind /run/nsswitch.conf /etc/nsswitch.conf
echo cluster > /proc/sys/kernel/domainname
# Ten seconds for a command that has to succeed.
wait_for() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo "in vain: $*"; exit 1; }
        sleep 0.1
    done
}

rpcbind -f -w &
wait_for rpcinfo -p 127.0.0.1
ypbind -foreground &
wait_for ypwhich
shift
for command in "$@"; do
    printf -- '--- %s\n' "$command"
    sh -c "$command" 2>&1 || echo "exit code $?"
done
