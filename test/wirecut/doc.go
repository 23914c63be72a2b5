// Command wirecut makes the golden captures of testdata/wire: whole RPC
// messages of real traffic with a real server, one a file, as annotated
// hexadecimal.
//
//	wirecut talk SERVER LABELS           calls each procedure once or more
//	wirecut cut CAPTURE LABELS OUTDIR    cuts a capture of that talk to files
//
// talk calls rpcbind, mountd and NFS of SERVER one call at a time and writes a
// line to LABELS for each: program, procedure, label, and whether it went over
// UDP. cut lets tshark dissect the capture and writes OUTDIR/PROGRAM/NNN-PROC-
// [LABEL-]call.hex and -reply.hex. The bytes are the server's, the comments
// are Wireshark's reading of them: independent of ours. Calls that are wrong
// on purpose, to see the server's refusal, go to OUTDIR/rpc.
//
// record.sh does all of it:
//
//	test/wirecut/record.sh testdata/wire
//
// Recording anew changes every XID, handle and time, and is only needed for
// new messages; what is there must stay readable for ever.
package main
