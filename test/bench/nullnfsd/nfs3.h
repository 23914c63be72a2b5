/* The RPC programs: NFS and MOUNT version 3 (RFC 1813), and of rpcbind what a mount needs (RFC 1833, version 2). */
#ifndef NFS3_H
#define NFS3_H

#include "conn.h"

/* The port that rpcbind's GETPORT tells. */
extern uint16_t nfs_port;

handler rpc_answer;

#endif
