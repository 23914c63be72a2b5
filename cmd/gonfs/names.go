package main

import (
	"errors"
	iofs "io/fs"
	"os"
	"os/user"
	"strconv"
	"sync"
)

// names remembers the local names of users and groups.
type names struct {
	mu     sync.Mutex // guards m
	m      map[uint32]string
	lookup func(string) (string, error)
}

func (n *names) of(id uint32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.m[id]; ok {
		return s
	}
	s, err := n.lookup(strconv.FormatUint(uint64(id), 10))
	if err != nil {
		s = strconv.FormatUint(uint64(id), 10)
	}
	if n.m == nil {
		n.m = map[uint32]string{}
	}
	n.m[id] = s
	return s
}

func newUsers() *names {
	return &names{lookup: func(id string) (string, error) {
		u, err := user.LookupId(id)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	}}
}

func newGroups() *names {
	return &names{lookup: func(id string) (string, error) {
		g, err := user.LookupGroupId(id)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	}}
}

// plain returns what went wrong without the path that the caller prints
// itself.
func plain(err error) error {
	var pe *iofs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}
