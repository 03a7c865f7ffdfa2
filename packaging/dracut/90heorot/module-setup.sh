#!/bin/bash
# heorot-agent in an image of dracut. With root=heorot on the kernel's command line it does what it does in an image of its own: address,
# trial, change of address, and the root that the server names. With any other root it goes through the trial, over the network that
# dracut has set up, and tells that the machine runs.
#
# Copy this directory to /usr/lib/dracut/modules.d and say: dracut --add heorot --no-hostonly IMAGE KERNEL-VERSION

# Only if it is asked for, and the agent is there.
check() {
    require_binaries "${HEOROT_AGENT:-/usr/lib/heorot/heorot-agent}" || return 1
    return 255
}

depends() {
    echo base
}

# What the agent's roots need. Its network cards are not those of the host that makes the image.
installkernel() {
    hostonly='' instmods '=drivers/net/ethernet' '=drivers/net/phy' '=drivers/net/usb' virtio_net virtio_pci vmxnet3 hv_netvsc
    hostonly='' instmods af_packet nfs nfsv3 nfsv4 squashfs erofs overlay loop
}

install() {
    inst_multiple modprobe sh
    # For checks that are commands.
    inst_multiple -o awk cat dd df dmesg free grep head lspci sed sleep sort tail uname wc
    inst_simple "${HEOROT_AGENT:-/usr/lib/heorot/heorot-agent}" /usr/lib/heorot/heorot-agent
    # moddir is dracut's: where this file is.
    # shellcheck disable=SC2154
    inst_hook cmdline 95 "$moddir/parse-heorot.sh"
    inst_hook pre-mount 50 "$moddir/trial-heorot.sh"
    inst_hook mount 50 "$moddir/mount-heorot.sh"
}
