package rpc

import "os"

// nobody stands for ids that the system does not have.
const nobody = 65534

// ProcessCred returns the credential of this process: its effective user and
// group, and the first MaxGIDs of its supplementary groups. Where the system
// has no such numbers (Windows) it is nobody's, 65534.
func ProcessCred() *Cred {
	id := func(n int) uint32 {
		if n < 0 {
			return nobody
		}
		return uint32(n)
	}
	groups, err := os.Getgroups()
	if err != nil {
		groups = nil // none are known; the server then decides by user and group
	}
	gids := make([]uint32, len(groups))
	for i, g := range groups {
		gids[i] = id(g)
	}
	return NewCred(id(os.Geteuid()), id(os.Getegid()), gids)
}
