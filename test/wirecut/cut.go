package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// cut writes the messages of a capture as files below dir, named by labels.
func cut(capture, labels, dir string) error {
	names, err := readLabels(labels)
	if err != nil {
		return err
	}
	version, msgs, err := dissect(capture)
	if err != nil {
		return err
	}
	number := make(map[string]int) // of the calls of a folder
	nameOf := make(map[string]string)
	calls := 0
	for _, m := range msgs {
		key, kind := m.stream+" "+m.xid, "reply"
		if m.call {
			kind = "call"
			if calls == len(names) {
				return fmt.Errorf("the capture holds more than the %d calls of %s", len(names), labels)
			}
			l := names[calls]
			calls++
			if l.folder != "rpc" && !strings.EqualFold(m.proc, l.proc) {
				return fmt.Errorf("call %d is %s in the capture and %s in %s", calls, m.proc, l.proc, labels)
			}
			number[l.folder]++
			nameOf[key] = filepath.Join(l.folder, fmt.Sprintf("%03d-%s", number[l.folder], l.name()))
		}
		name, ok := nameOf[key]
		if !ok {
			return fmt.Errorf("a reply without a call, XID %s", m.xid)
		}
		path := filepath.Join(dir, name+"-"+kind+".hex")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, m.hex(filepath.Base(name)+" "+kind, version), 0o666); err != nil {
			return err
		}
	}
	if calls != len(names) {
		return fmt.Errorf("the capture holds %d calls, %s has %d", calls, labels, len(names))
	}
	return nil
}

// label is one line of what talk wrote.
type label struct{ folder, proc, text string }

// name is the middle of a file's name.
func (l label) name() string {
	if l.text == "" {
		return l.proc
	}
	return l.proc + "-" + l.text
}

// readLabels reads what talk wrote.
func readLabels(path string) ([]label, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []label
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			return list, lines.Err()
		}
		part := append(strings.Fields(lines.Text()), "", "", "")
		list = append(list, label{part[0], part[1], part[2]})
	}
}
