#!/bin/sh
# Sourced by dracut where the root has to be mounted, again and again until it is. NEWROOT is dracut's.
# shellcheck disable=SC2154
if [ "$(getarg root=)" = heorot ] && ! ismounted "$NEWROOT"; then
    /usr/lib/heorot/heorot-agent root "$NEWROOT" > /dev/console 2>&1 \
        || warn "heorot-agent: no root (see above); rd.emergency=reboot starts the machine anew"
fi
