#!/bin/sh
# Sourced by dracut while it reads the command line: root=heorot is a root, although no device.
if [ "$(getarg root=)" = heorot ]; then
    if [ -n "$(getarg heorot=)" ]; then
        # Both are dracut's.
        # shellcheck disable=SC2034
        root=heorot
        # shellcheck disable=SC2034
        rootok=1
    else
        die "root=heorot needs heorot=http://ADDRESS:PORT/node/TOKEN, which the server writes for machines that it boots"
    fi
fi
