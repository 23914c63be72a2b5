package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	perLine = 16          // how many bytes of a long field stand on a line
	width   = 2 * perLine // where the comments begin
)

// cell is a field of the message: the smallest part that Wireshark names.
type cell struct {
	pos, size int
	text      string
	path      []string // the structs that it is in, outermost first
}

// hex returns the file of a message.
func (m *message) hex(title, version string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n# nfs-ganesha and rpcbind of Debian 12, over %s; comments by %s\n", title, m.transport, version)
	var at int
	var path []string // whose headings stand above
	for _, c := range m.cells() {
		same := 0
		for same < len(path) && same < len(c.path) && path[same] == c.path[same] {
			same++
		}
		for i, heading := range c.path[same:] {
			if same+i == len(c.path)-1 && at < c.pos {
				// What Wireshark shows with the struct's name only: a count.
				m.line(&b, at, c.pos, heading, same+i)
				at = c.pos
				break
			}
			fmt.Fprintf(&b, "%*s # %*s%s\n", width, "", 2*(same+i), "", heading)
		}
		m.line(&b, at, c.pos, "padding", len(c.path))
		m.line(&b, c.pos, c.pos+c.size, c.text, len(c.path))
		at, path = c.pos+c.size, c.path
	}
	rest := "not dissected"
	if len(m.bytes)-at < 4 {
		rest = "padding"
	}
	m.line(&b, at, len(m.bytes), rest, 0)
	return b.Bytes()
}

// line writes bytes from..to, with the comment on the first of their lines.
func (m *message) line(b *bytes.Buffer, from, to int, text string, indent int) {
	for at := from; at < to; at += perLine {
		piece := fmt.Sprintf("%x", m.bytes[at:min(at+perLine, to)])
		if at > from {
			fmt.Fprintln(b, piece)
			continue
		}
		fmt.Fprintf(b, "%-*s # %*s%s\n", width, piece, 2*indent, "", text)
	}
}

// cells lists the fields in the order of their bytes. Where Wireshark names
// bytes twice (a hash of a handle, the bits of a mode), the plainest is taken.
func (m *message) cells() []cell {
	var all []cell
	for i := range m.protos {
		m.collect(&m.protos[i], nil, &all)
	}
	slices.SortStableFunc(all, func(a, b cell) int { return a.pos - b.pos })
	var list []cell
	at := 0
	for _, c := range all {
		if c.pos >= at {
			list = append(list, c)
			at = c.pos + c.size
		}
	}
	return list
}

// collect walks a dissection down to the fields that have no smaller ones.
func (m *message) collect(n *node, path []string, all *[]cell) {
	text := clean(cmp.Or(n.Showname, n.Show))
	isField := n.XMLName.Local == "field"
	if !n.leaf() {
		if isField {
			path = append(slices.Clone(path), text)
		}
		for i := range n.Nodes {
			m.collect(&n.Nodes[i], path, all)
		}
		return
	}
	pos := n.Pos - m.base
	if isField && n.Size > 0 && n.Name != "nfs.fh.hash" && pos >= 0 && pos+n.Size <= len(m.bytes) {
		*all = append(*all, cell{pos, n.Size, text, path})
	}
}

// leaf tells whether nothing below n names a part of its bytes: the bits of a
// word are not parts.
func (n *node) leaf() bool {
	return n.XMLName.Local == "field" && !slices.ContainsFunc(n.Nodes, func(k node) bool {
		return k.Size > 0 && (k.Size < n.Size || n.Size == 0 || !k.leaf())
	})
}

// clean keeps a comment on its line, printable and short.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, text)
	if len(text) > 90 {
		text = text[:90] + "..."
	}
	return text
}
