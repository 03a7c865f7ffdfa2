#!/bin/sh
# Sourced by dracut before it mounts a root that is none of heorot's.
if [ -n "$(getarg heorot=)" ] && [ "$(getarg root=)" != heorot ]; then
    /usr/lib/heorot/heorot-agent > /dev/console 2>&1 || warn "heorot-agent: the server does not know that this machine runs"
fi
