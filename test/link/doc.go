// Command link joins two network namespaces by a link that delays, loses,
// duplicates, reorders and corrupts packets: what tc-netem(8) does, for kernels
// that were built without it.
//
//	link NAMESPACE DEVICE NAMESPACE DEVICE [KEY=VALUE…]
//
// A namespace is a path, as /run/netns/router or /proc/self/ns/net. In each, a
// TUN device of the name is made, which goes when the command ends. It says
// "ready", and reads lines of parameters from its standard input; each line
// replaces all that was said before, and is answered by "ok" with what has
// gone by since the line before. It ends at the end of its input, so that it
// never outlives who started it.
//
// Parameters; a share is a number from 0 to 1, a time one as 20ms:
//
//	delay=TIME      how long each packet is under way
//	loss=SHARE      packets that do not arrive
//	dup=SHARE       packets that arrive twice
//	late=TIME       how much later the second copy arrives (0)
//	reorder=SHARE   packets that are held back, so that later ones arrive first
//	hold=TIME       how long they are held back (2ms)
//	corrupt=SHARE   packets of which one bit behind the IP header is turned over
//
// All of it is done in both directions. Needs root and /dev/net/tun; Linux.
package main
