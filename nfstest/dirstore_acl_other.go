//go:build !linux

package nfstest

import (
	"os"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

// getHostACL knows of no lists here: other systems have them in other forms.
func getHostACL(*os.File, string) (nfsacl.ACL, error) { return nil, nil }

// setHostACL refuses lists, and takes away none.
func setHostACL(_ *os.File, _ string, a nfsacl.ACL) error {
	if len(a) > 0 {
		return nfs3.ErrNotsupp
	}
	return nil
}
