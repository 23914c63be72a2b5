// Package mountopt reads what stands on the command line of a mount: the
// options after -o, as nfs(5) has them, and the spec that says what to mount.
// It is pure: text in, values or an error out.
//
// # Words
//
// An option is a flag ("soft") or has a value ("timeo=100"). Options are
// separated by commas; double quotes protect a comma. Some are about NFS, some
// about the mount point (ro, nosuid: [VFS]), some are notes to mount(8) and to
// init systems (_netdev, x-systemd.automount) and mean nothing here.
//
// # What wins
//
// Where options contradict each other the rightmost wins: proto=, udp and tcp
// are one such group, hard, soft and softerr another. Three families differ.
// sec= and local_lock= add up. nolock beats local_lock= in any order. And the
// version may be given once only: "vers=3,nfsvers=3" is an error in mount.nfs
// too.
//
// Numbers are read with base 0, as the kernel does: 0x400 and 02000 are 1024.
// Sizes may end in k, m or g.
//
// # What is refused
//
// An option has an effect or is an error; none is ignored. [Table] tells which
// of nfs(5)'s are in effect. Least of all is an option about security ignored:
// sec=krb5 or xprtsec=tls without Kerberos or TLS is an error, not a mount with
// less than was asked for. "sloppy" skips unknown names, not these.
//
//	o, err := mountopt.Parse("rw,soft,timeo=100,rsize=64k")
//	spec, err := mountopt.ParseSpec("server:/export")
package mountopt
