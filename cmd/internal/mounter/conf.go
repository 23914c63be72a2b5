package mounter

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/mountopt"
)

// The file of defaults of nfsmount.conf(5), and the variable that names another
// one in its place; "" is none.
const (
	confFile = "/etc/nfsmount.conf"
	confEnv  = "GONFS_NFSMOUNT_CONF"
)

// WithDefaults returns r with the options that nfsmount.conf adds; see
// Defaults. Errors carry an exit code.
func (r Request) WithDefaults() (Request, error) {
	spec, err := mountopt.ParseSpec(r.Spec)
	if err == nil {
		r.Options, err = Defaults(spec, r.Dir, r.options())
	}
	if err != nil {
		return r, exitcodes.New(exitcodes.Failure, "%w", err)
	}
	return r, nil
}

// Defaults returns the options that hold for a mount of spec at dir: those of
// the command line, with what nfsmount.conf says for this mount point, server
// or all mounts in front. A file that is not there says nothing. dir may be
// "".
func Defaults(spec mountopt.Spec, dir, options string) (string, error) {
	name, given := os.LookupEnv(confEnv)
	if !given {
		name = confFile
	}
	if name == "" {
		return options, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return options, nil
	}
	if err != nil {
		return "", err
	}
	conf, err := mountopt.ParseConf(name, text)
	if err != nil {
		return "", err
	}
	return conf.Over(spec, dir, options)
}
