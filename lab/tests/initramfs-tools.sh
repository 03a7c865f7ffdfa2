#!/bin/sh
# Makes an image by Debian's mkinitramfs, in a Debian of its own: initramfs-tools.sh TREE MODULES AGENT PACKAGING IMAGE
set -eu
tree=$1 modules=$2 agent=$3 packaging=$4 image=$5
version=$(basename "$modules")
if [ ! -d "$tree" ]; then
    mmdebstrap --quiet --mode=root --variant=essential --include=initramfs-tools,busybox,mount bookworm "$tree.new"
    mkdir -p "$tree.new/lib/modules" "$tree.new/usr/lib/heorot"
    cp -a "$modules" "$tree.new/lib/modules/"
    # The kernel's package is unpacked whole: what it can decompress is told beside the kernel.
    cp "$modules/../../../boot/config-$version" "$tree.new/boot/"
    chroot "$tree.new" depmod "$version"
    mv "$tree.new" "$tree"
fi
cp "$agent" "$tree/usr/lib/heorot/heorot-agent"
rm -rf "$tree/etc/heorot"
mkdir "$tree/etc/heorot"
cp -r "$tree/etc/initramfs-tools" "$tree/etc/heorot/"
cp -r "$packaging/initramfs-tools/." "$tree/etc/heorot/initramfs-tools/"
# No drivers but those that the hook asks for: it takes a third of the time, and what is missing in the hook is missing in the image.
printf 'MODULES=list\nCOMPRESS=gzip\n' > "$tree/etc/heorot/initramfs-tools/conf.d/lab"
chroot "$tree" mkinitramfs -d /etc/heorot/initramfs-tools -o /image "$version"
chroot "$tree" lsinitramfs /image
mv "$tree/image" "$image"
