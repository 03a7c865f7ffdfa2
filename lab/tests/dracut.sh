#!/bin/sh
# Makes an image by Debian's dracut, in a Debian of its own: dracut.sh TREE MODULES AGENT PACKAGING IMAGE
set -eu
tree=$1 modules=$2 agent=$3 packaging=$4 image=$5
version=$(basename "$modules")
if [ ! -d "$tree" ]; then
    mmdebstrap --quiet --mode=root --variant=essential --include=dracut-core,mount bookworm "$tree.new"
    mkdir -p "$tree.new/lib/modules" "$tree.new/usr/lib/heorot"
    cp -a "$modules" "$tree.new/lib/modules/"
    chroot "$tree.new" depmod "$version"
    mv "$tree.new" "$tree"
fi
cp "$agent" "$tree/usr/lib/heorot/heorot-agent"
rm -rf "$tree/usr/lib/dracut/modules.d/90heorot"
cp -r "$packaging/dracut/90heorot" "$tree/usr/lib/dracut/modules.d/"
# Without the drivers of all disks it takes half the time.
chroot "$tree" dracut --quiet --force --no-hostonly --modules 'base udev-rules fs-lib heorot' --kver "$version" \
    --gzip /image 2>/dev/null
chroot "$tree" lsinitrd /image
mv "$tree/image" "$image"
