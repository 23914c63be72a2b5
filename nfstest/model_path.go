package nfstest

import (
	"slices"
	"strings"
)

// visit calls f for everything below n, in the order of the names; path is
// what leads to n.
func (m *memory) visit(n *inode, path string, f func(path string, n *inode)) {
	names := make([]string, 0, len(n.dir.names))
	for name := range n.dir.names {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c := n.dir.names[name].node
		p := strings.TrimPrefix(path+"/"+name, "/")
		f(p, c)
		if c.dir != nil {
			m.visit(c, p, f)
		}
	}
}
