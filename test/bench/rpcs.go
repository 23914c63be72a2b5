package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// counted is what the test of test/e2e counted of one kind of work.
type counted struct {
	Work  string `json:"work"`
	Linux int    `json:"linux"`
	Ours  int    `json:"ours"`
	Calls string `json:"calls"`
}

// loadRPCs returns what run.sh had counted; nothing if it did not.
func (s *store) loadRPCs() (list []counted, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "rpcs.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	return list, err
}

func writeRPCs(out io.Writer, list []counted) {
	fmt.Fprint(out, "\n## Calls that common work makes\n\nCounted by `gonfs status` (the mount: in a capture) on nfs-ganesha; the Linux client: kernel 6.1, rsize\n"+
		"1 MiB, default options, noacl. None may be above it: `test/e2e` sees to that.\n\n| work | gonfs | Linux | by procedure |\n|---|---|---|---|\n")
	for _, c := range list {
		fmt.Fprintf(out, "| %s | %d | %d | %s |\n", c.Work, c.Ours, c.Linux, c.Calls)
	}
}
