package mounter

import (
	"encoding/json"
	"fmt"
	"os"
)

// Request is one mount, as the command line asks for it.
type Request struct {
	Program string // the command's name, for messages: "mount.gonfs"
	Spec    string // what to mount: host:/path
	Dir     string // where
	Options string // -o, as one list
	Sloppy  bool   // -s: skip options that nobody knows
	Verbose bool   // -v: say each step
	Fake    bool   // -f: everything but the mount itself
	LogFile string // where the daemon writes its log; empty: the system log
}

// requestEnv is how the child gets its Request: out of the command line, which
// is for people to read in ps, and out of reach of other users.
const requestEnv = "GONFS_MOUNT_REQUEST"

// takeRequest returns the Request that the parent left for us, if there is one,
// and clears it, so that our own children never see it.
func takeRequest() (*Request, error) {
	text, ok := os.LookupEnv(requestEnv)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(requestEnv); err != nil {
		return nil, err
	}
	var r Request
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("%s is not for you to set: %w", requestEnv, err)
	}
	return &r, nil
}
