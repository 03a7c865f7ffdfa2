#!/bin/busybox sh
# A node that mounts its tree as an operator would, and says on its console what it found.
/bin/busybox --install -s /bin 2> /dev/null
export PATH=/bin
mkdir -p /mnt
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo 4 > /proc/sys/kernel/printk
/sbin/modprobe virtio_pci virtio_net nfs nfsv3 || echo "LAB: modules are missing"
word() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
directory=$(word lab.directory)
ip link set lo up
ip link set eth0 up
ip address add 10.77.1.99/16 dev eth0

mount -t nfs -o ro,nolock "10.77.0.1:$directory" /mnt || echo "LAB: not mounted"
grep ' /mnt ' /proc/mounts
cd /mnt || exit
echo "LAB: found $(find . | wc -l)"
[ "$(readlink link)" = files/directory7/file7 ] && cmp link files/directory7/file7 && echo "LAB: link"
[ -c null ] && [ "$(stat -c %t.%T null)" = 1.3 ] && echo x > null && echo "LAB: device"
[ "$(stat -c %a setuid)" = 4755 ] && echo "LAB: setuid"
grep -q secret shadow && echo "LAB: shadow"
ls -a files/directory7/../.. > /dev/null && [ ! -e /mnt/files/nothing ] && echo "LAB: names"

# The server dies while this goes on, and comes again: nothing here may notice.
exec 5< big
dd bs=1024 count=1024 <&5 2> /dev/null | md5sum > /tmp/first
echo "LAB: reading"
md5sum -c sums > /tmp/told 2>&1 && echo "LAB: sums agree $(grep -c ': OK$' /tmp/told)" || grep -v ': OK$' /tmp/told | head -3
cat <&5 | md5sum | cut -d' ' -f1 > /tmp/rest
echo "LAB: rest $(cat /tmp/rest)"
exec 5<&-

cd /
umount /mnt && echo "LAB: unmounted"
mount -t nfs -o rw,nolock "10.77.0.1:$directory" /mnt
touch /mnt/new 2>&1 | grep -q 'Read-only file system' && echo "LAB: read only"
echo "LAB: done"
sleep 1000
