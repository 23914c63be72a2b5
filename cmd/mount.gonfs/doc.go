// Command mount.gonfs is what mount(8) and umount(8) call for mounts of gonfs,
// and what people may call themselves. It is one program with four names, as
// which it is to be installed in /sbin (links will do):
//
//	mount.gonfs          mount -t gonfs server:/export /mnt, and fstab
//	mount.fuse.gonfs     mount -t fuse.gonfs …, and mount -o remount of any
//	                     mount of gonfs, whose type the kernel shows so
//	umount.gonfs         umount -t gonfs
//	umount.fuse.gonfs    umount of any mount of gonfs
//
// mount(8) puts the operands first and the flags after them:
//
//	mount.gonfs SPEC DIR [-sfnv] [-N namespace] [-o options] [-t type.subtype]
//
// The flags, messages and exit codes are those of mount.nfs(8) and mount(8), so
// that what drives those can drive this. The mounting itself is package
// mounter's. mount.gonfs.8, in this directory, is the manual page.
package main
