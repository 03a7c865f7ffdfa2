# A head node of its own: an /etc and a /run of tmpfs, one interface, the server, which becomes its user, and glibc with the module.
# Arguments: heorot, the module, the configuration, commands. Each command is said after "--- ", and then what came of it.
set -eu
heorot=$1 module=$2 configuration=$3
shift 3
mount -t tmpfs none /run
mkdir -p /run/etc/heorot /run/lib /run/boot
for kept in ansible alternatives services protocols; do
    if [ -e /etc/$kept ]; then cp -a /etc/$kept /run/etc/; fi
done
mount --bind /run/etc /etc
cat > /etc/nsswitch.conf <<END
passwd: files
group: files
hosts: files heorot
networks: heorot
ethers: heorot
netgroup: heorot
END
printf 'root:x:0:0::/root:/bin/sh\nheorot:x:990:990::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n' > /etc/passwd
printf 'root:x:0:\nheorot:x:990:\nnogroup:x:65534:\n' > /etc/group
# Programs that get rights as they start look into no directory of their caller's.
cp "$module" /run/lib/libnss_heorot.so.2
printf '/run/lib\n/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n' > /etc/ld.so.conf
ldconfig -X
ip link add eth1 type veth peer name far
ip address add 10.77.0.1/16 dev eth1
for link in lo eth1 far; do ip link set $link up; done
printf '%s' "$configuration" > /run/heorot.toml
export HEOROT_CONTROL=/run/heorot/control.sock PATH="$PATH:/usr/sbin:/sbin"
alias heorot="$heorot"
"$heorot" serve --config /run/heorot.toml > /run/log 2>&1 &
server=$!
tries=0
until "$heorot" status > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then cat /run/log; exit 1; fi
    sleep 0.2
done
cat > /run/ask.c <<END
#include <netdb.h>
#include <stdio.h>
#include <arpa/inet.h>
int innetgr(const char *, const char *, const char *, const char *);
int main(int count, char **words) {
    struct hostent *host = gethostbyname(words[1]);
    printf("%s %s %d %d\n", host ? host->h_name : "nobody", host ? inet_ntoa(*(struct in_addr *)host->h_addr) : "",
        innetgr("rack1", words[1], 0, 0), innetgr("rack1", words[1], "root", 0));
    return 0;
}
END
cc -static -o /run/ask-static /run/ask.c 2> /dev/null
cp "$(command -v getent)" /run/getent-setuid
chown nobody /run/getent-setuid
chmod u+s /run/getent-setuid
for command in "$@"; do
    printf '%s %s\n' --- "$command"
    eval "$command" 2>&1 || echo "exit code $?"
done
kill $server
wait $server || true
