package fuse

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/rpc"
)

// creds makes credentials of callers. The kernel tells uid, gid and thread of
// who asks; the supplementary groups are in /proc, which is read once a second
// for each thread at most.
type creds struct {
	mu sync.Mutex // guards m
	m  map[gofuse.Caller]credEntry

	now    func() time.Time
	groups func(pid uint32) []uint32
}

type credEntry struct {
	cred  *rpc.Cred
	until time.Time
}

const (
	// credTTL is how long a thread's groups are believed. A process that gives
	// groups away without changing its ids keeps them that long; a thread id
	// is not used again that fast.
	credTTL = time.Second
	// maxCreds bounds the table; at 200 bytes each.
	maxCreds = 4096
)

func newCreds() *creds {
	return &creds{m: map[gofuse.Caller]credEntry{}, now: time.Now, groups: groupsOf}
}

// of returns the credential of a caller. It is shared: it must not be changed.
func (c *creds) of(who gofuse.Caller) *rpc.Cred {
	if who.Pid == 0 { // a process in another pid namespace, or the kernel itself
		return rpc.NewCred(who.Uid, who.Gid, nil)
	}
	now := c.now()
	c.mu.Lock()
	e, ok := c.m[who]
	c.mu.Unlock()
	if ok && now.Before(e.until) {
		return e.cred
	}
	fresh := rpc.NewCred(who.Uid, who.Gid, c.groups(who.Pid))
	if ok && *e.cred == *fresh {
		fresh = e.cred
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.m) >= maxCreds {
		clear(c.m)
	}
	c.m[who] = credEntry{fresh, now.Add(credTTL)}
	return fresh
}

// groupsOf reads the supplementary groups of a thread. A process that is gone
// or hidden (hidepid=2) has none.
func groupsOf(pid uint32) []uint32 {
	text, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(pid), 10) + "/status")
	if err != nil {
		return nil
	}
	return parseGroups(text)
}

// parseGroups finds the line "Groups:" in a /proc/PID/status.
func parseGroups(status []byte) []uint32 {
	const mark = "\nGroups:"
	i := bytes.Index(status, []byte(mark))
	if i < 0 {
		return nil
	}
	line, _, _ := bytes.Cut(status[i+len(mark):], []byte("\n"))
	var gids []uint32
	for f := range bytes.FieldsSeq(line) {
		if g, err := strconv.ParseUint(string(f), 10, 32); err == nil {
			gids = append(gids, uint32(g))
		}
	}
	return gids
}

// processCred returns the credential of this process.
func processCred() (*rpc.Cred, error) {
	groups, err := os.Getgroups()
	if err != nil {
		return nil, os.NewSyscallError("getgroups", err)
	}
	gids := make([]uint32, len(groups))
	for i, g := range groups {
		gids[i] = uint32(g)
	}
	return rpc.NewCred(uint32(os.Geteuid()), uint32(os.Getegid()), gids), nil
}
