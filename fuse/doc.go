// Package fuse mounts a client.FS: it puts a file system of an NFS server into
// the local directory tree, through the Linux kernel's FUSE.
//
// # FUSE in ten lines
//
// The kernel's part of FUSE is a file system that answers nothing by itself.
// It writes each request that it cannot answer from its caches (LOOKUP,
// GETATTR, READ …) to a device, /dev/fuse, from which a program in user space
// reads it, and to which the program writes the reply. Objects are named by a
// node id, which the program chooses and tells in the reply to LOOKUP; each
// such reply is a reference, which the kernel gives back with FORGET. Open
// files are named by a file handle, chosen in the reply to OPEN. A reply says
// for how long the kernel may answer by itself, and the program may tell the
// kernel at any time to drop what it has cached (a notification). A process
// that gets a signal while it waits makes the kernel send INTERRUPT.
//
// This package is written on the RawFileSystem of github.com/hanwen/go-fuse,
// not on its node API, which drops what NFS needs: lock owners, flags of single
// writes, the umask. The kernel's words are kept: node, handle, entry.
//
// # What is decided here
//
//   - Credentials. Each operation is made as the process that asked, with its
//     groups (mounts by root); data is read and written as whoever opened the
//     file, because the kernel writes back memory maps as nobody at all. An
//     ordinary user's mount has one credential, the user's own.
//   - Interrupts. As on any NFS mount, only a fatal signal ends the wait for
//     the server; SIGALRM and the like do not.
//   - Caches. Pages are kept from one open to the next if the file did not
//     change between them (close-to-open consistency), and dropped when package
//     client learns that others changed it. There is no write-back cache in the
//     kernel: it would believe in sizes and times of its own. Package client
//     collects writes instead.
//   - Appending. The kernel's offset of a write with O_APPEND is its idea of
//     the file's size; it is ignored, and the data goes to the end of the file.
//   - Errors. ENOSYS tells the kernel never to ask for that operation again on
//     this mount, and is therefore only the answer to operations that NFS
//     version 3 does not have.
//   - Permissions. Where more than one user may enter (AllowOther), the kernel
//     checks mode bits and access control lists along the path, because it does
//     not ask about directories that somebody else has walked through before; and
//     at the end the server decides, by ACCESS and by each call. Lists are the
//     extended attributes system.posix_acl_access and _default; there are no
//     others. The umask is applied by package client: a default list comes first.
//   - Locks. The kernel asks about the kinds that are the server's, and keeps
//     those that are local (local_lock, nolock) itself. Owners are told apart
//     as on a local file system, and give back what they hold when they close
//     the file (FLUSH) or the last descriptor goes (RELEASE). A wait for a lock
//     ends with any signal. Once a lock is granted the kernel's pages of the file
//     are dropped, so that what the last holder wrote is seen; before one is
//     given back all is written and committed, memory maps included.
//
// The package runs on Linux only.
package fuse
