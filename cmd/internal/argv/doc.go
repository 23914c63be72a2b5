// Package argv puts a command line into the order that urfave/cli can read.
// mount(8) calls its helpers with the operands first and the flags after them,
// and people write "gonfs ls server:/x -l"; urfave/cli stops looking for flags
// at the first operand.
package argv
