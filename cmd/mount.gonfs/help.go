package main

// The help texts. PROGRAM is replaced by the name that the program was called
// by. What they say of options is what mountopt.Table says is in effect; a test
// compares the manual page with it.

const mountHelp = `Usage: PROGRAM SERVER:/EXPORT DIR [-rwsfnv] [-o OPTIONS]

Mounts an NFS version 3 export on DIR. The command returns when DIR can be used;
a daemon serves it from then on, until it is unmounted. Root mounts for all
users, others for themselves, by means of fusermount3 (Debian: package fuse3).

What to mount:
   SERVER:/EXPORT            name or IPv4 address of the server, path of the export
   [IPV6-ADDRESS]:/EXPORT    link-local ones with their zone: [fe80::1%eth0]:/EXPORT
   nfs://SERVER[:PORT]/PATH  RFC 2224

Flags, which may stand anywhere:
   -o OPTIONS    mount options, separated by commas; may be given more than once
   -r, -w        read-only, read-write: the same as -o ro, -o rw
   -s            skip options that gonfs does not know
   -f            ask the server, but do not mount
   -n            accepted: gonfs never writes a mount table of its own
   -v            say each step, with its answer, and what was mounted
   -N FILE       mount in another mount namespace, as /proc/PID/ns/mnt
   -t TYPE       accepted: gonfs or fuse.gonfs
   --foreground  serve the mount in this process; ends by umount, or by Ctrl-C
   --log FILE    write the daemon's log to FILE instead of the system log
   -V, -h        version, this text

Options most often used (all others: mount.gonfs(8)):
   ro, nosuid, nodev, noexec      as for any mount
   proto=tcp|tcp6|udp|udp6        transport; tcp if the server has it
   port=N, mountport=N            ask no rpcbind for the port of NFS, of mountd
   rsize=N, wsize=N               most bytes of a READ, of a WRITE (64k, 1m …)
   hard, soft, softerr            a server that is away: wait for ever, or fail
   bg, retry=MINUTES              go on trying without you; for how long
   timeo=TENTHS, retrans=N        when to ask again, and how often before it failed
   sec=sys|none                   whom the server takes us for
   noresvport                     use any source port, for servers that allow it
   nolock                         locks stay on this host: other clients do not see them
   actimeo=SECONDS, noac          how long attributes are remembered
   remount                        change ro, nosuid … of a mount

An option that has no effect yet is refused, not ignored.

Exit code: 0 mounted; 1 wrong invocation; 2 system error; 4 a bug;
8 interrupted; 16 the mount could not be recorded; 32 the mount failed.
`

const umountHelp = `Usage: PROGRAM DIR|SERVER:/EXPORT [-flnrv]

Unmounts, and returns when the mount's daemon has saved what was left, told the
server, and ended. Users can unmount what they mounted.

Flags, which may stand anywhere:
   -f        even if the server is away; what cannot be saved within a second is lost
   -l        take it out of sight now; it ends when nobody uses it any more
   -r        if it is in use, make it read-only instead
   -n        accepted: gonfs never writes a mount table of its own
   -v        say what was unmounted
   -N FILE   unmount in another mount namespace, as /proc/PID/ns/mnt
   -t TYPE   accepted: gonfs or fuse.gonfs
   -V, -h    version, this text

Exit code: 0 unmounted; 1 wrong invocation; 32 not unmounted.
`
