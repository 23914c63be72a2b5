// Package mounter is the mount story that mount.gonfs and gonfs mount share.
//
// A FUSE file system is served by a process, so a mount needs a daemon. The
// command that the user typed starts it (Background): it executes itself again
// with a pipe, and waits. The child (ChildMain) parses the options, asks
// rpcbind and mountd, mounts, writes its record (package mounttab), and says
// through the pipe how that went: the exit code and the line for the user,
// with which the parent exits. A pipe that ends without a word means that the
// child died. If the parent dies first, the child gives up.
//
// The child serves until the mount is gone, by umount or by a signal; then it
// saves what is not saved yet, tells the server (UMNT) and removes its record.
package mounter
