package nfsacl_test

import (
	"fmt"

	"github.com/gonfs/gonfs/nfsacl"
)

// A list is written as setfacl(1) takes it, users and groups by number where
// there are no Names. What a user may do is limited by the mask.
func ExampleParse() {
	list, err := nfsacl.Parse("u::rw,u:1000:rwx,g::r,m::rx,o::-", nfsacl.Names{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list)

	_, err = nfsacl.Parse("u::rw,u:1000:rwx,g::r,o::-", nfsacl.Names{})
	fmt.Println(err)
	// Output:
	// user::rw-,user:1000:rwx,group::r--,mask::r-x,other::---
	// nfsacl: not an access control list: a named user or group, but no mask
}
