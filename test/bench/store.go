package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// store keeps results, one file a row.
type store struct {
	dir   string
	build string
}

// newStore makes a store in dir for the programs in bin; a result of another
// scale is one of another build.
func newStore(dir, bin string, sc scale) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintln(h, sc)
	for _, name := range []string{"gonfs", "nullnfsd"} {
		f, err := os.Open(filepath.Join(bin, name))
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	return &store{dir, hex.EncodeToString(h.Sum(nil))[:12]}, nil
}

func (s *store) file(row string) string { return filepath.Join(s.dir, row+".json") }

// load returns the result of a row, nil if there is none; fresh says that it is
// one of the same programs, and whole.
func (s *store) load(row string) (res *result, fresh bool, err error) {
	text, err := os.ReadFile(s.file(row))
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	res = new(result)
	if err := json.Unmarshal(text, res); err != nil {
		return nil, false, nil // cut short when a run was killed
	}
	return res, res.Build == s.build && len(res.Failed) == 0, nil
}

func (s *store) save(res *result) error {
	res.Build = s.build
	text, err := json.MarshalIndent(res, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(s.file(res.Row), append(text, '\n'), 0o644)
}
