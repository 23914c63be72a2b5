package xdr_test

import (
	"fmt"

	"github.com/gonfs/gonfs/xdr"
)

// filename is "struct filename { string name<255>; unsigned int serial; };".
type filename struct {
	Name   string
	Serial uint32
}

// XDR is the declaration, line for line, for both directions.
func (f *filename) XDR(c *xdr.Codec) {
	c.String(&f.Name, 255)
	c.Uint32(&f.Serial)
}

func Example() {
	e := xdr.NewEncoder(nil)
	(&filename{"hello", 7}).XDR(e)
	fmt.Printf("%x %v\n", e.Bytes(), e.Err())

	var f filename
	d := xdr.NewDecoder(e.Bytes())
	f.XDR(d)
	fmt.Println(f.Name, f.Serial, d.Err())

	d = xdr.NewDecoder([]byte{0xff, 0xff, 0xff, 0xff})
	f.XDR(d)
	fmt.Println(d.Err())
	// Output:
	// 0000000568656c6c6f00000000000007 <nil>
	// hello 7 <nil>
	// xdr: length 4294967295 at byte 0 is over the limit of 255
}
