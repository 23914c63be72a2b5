// Command gonfs mounts NFS version 3 exports through FUSE, and lists, reads
// and copies files of exports that are not mounted.
//
//	gonfs mount server:/export /mnt -o rsize=65536
//	gonfs ls -l server:/export/dir
//	gonfs cp big.iso server:/export/
//	gonfs demo
//
// gonfs --help lists the commands, gonfs COMMAND --help explains one.
package main
