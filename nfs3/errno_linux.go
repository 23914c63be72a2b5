package nfs3

import "syscall"

// eRemoteIO is what Linux makes of NFS3ERR_SERVERFAULT.
const eRemoteIO = syscall.EREMOTEIO
