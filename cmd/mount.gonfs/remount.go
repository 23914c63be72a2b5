package main

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/mounter"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/mounttab"
)

// remount changes the flags of a mount that the kernel keeps: ro, nosuid, sync
// and their like. Options of NFS cannot change while it is mounted; they may be
// there (mount(8) takes those of fstab again) if they say what holds already.
// fake does everything but the change.
func remount(dir, options string, fake bool) error {
	rec, err := recordAt(dir)
	if err != nil {
		return err
	}
	var now unix.Statfs_t
	if err := unix.Statfs(rec.Dir, &now); err != nil {
		return exitcodes.New(exitcodes.Failure, "mount point %s: %w", dir, err)
	}
	// What is not mentioned stays: the flags of now stand before the options.
	o, err := mountopt.Parse(strings.Join(append(words(uint64(now.Flags)), options), ","))
	if err != nil {
		return exitcodes.New(exitcodes.Failure, "%w", err)
	}
	if change, err := changes(o, rec); err != nil {
		return err
	} else if change != "" {
		return exitcodes.New(exitcodes.Failure, "%s: remount cannot change '%s': unmount it, and mount it anew", dir, change)
	}
	if fake {
		return nil
	}
	switch err := unix.Mount(rec.Spec, rec.Dir, "", unix.MS_REMOUNT|flags(o), ""); {
	case errors.Is(err, unix.EPERM):
		return exitcodes.New(exitcodes.UsageError, "%s: only root can remount: %w", dir, err)
	case errors.Is(err, unix.EBUSY):
		return exitcodes.New(exitcodes.Failure, "%s is busy: files are open for writing", dir)
	case err != nil:
		return exitcodes.New(exitcodes.Failure, "%s: remount: %w", dir, err)
	}
	return nil
}

// recordAt returns the record of the mount at dir.
func recordAt(dir string) (mounttab.Record, error) {
	abs, err := mounter.PathOf(dir)
	if err != nil {
		return mounttab.Record{}, err
	}
	recs, err := mounter.Records()
	if err != nil {
		return mounttab.Record{}, exitcodes.New(exitcodes.System, "%w", err)
	}
	for _, r := range slices.Backward(recs) {
		if r.Dir == abs {
			return r, nil
		}
	}
	return mounttab.Record{}, exitcodes.New(exitcodes.Failure, "mount point %s is not mounted by gonfs, or its daemon is gone", dir)
}

// changes returns an option of NFS in which o differs from what the mount of
// rec was asked for and from what is in effect there, or "".
func changes(o *mountopt.Options, rec mounttab.Record) (string, error) {
	asked, err := mountopt.Parse(rec.Asked)
	if err != nil {
		return "", exitcodes.New(exitcodes.Internal, "options in the record of %s: %w", rec.Dir, err)
	}
	before, after := nfsWords(asked), nfsWords(o.Over(asked))
	effective := strings.Split(rec.Options, ",")
	var changed []string
	for _, w := range after {
		if !slices.Contains(before, w) && !slices.Contains(effective, w) {
			changed = append(changed, w)
		}
	}
	for _, w := range before {
		name, _, _ := strings.Cut(w, "=")
		if !slices.ContainsFunc(after, func(a string) bool { return a == w || strings.HasPrefix(a, name+"=") }) {
			changed = append(changed, w)
		}
	}
	if len(changed) == 0 {
		return "", nil
	}
	// A flag says more than the values that follow from it (noac).
	if i := slices.IndexFunc(changed, func(w string) bool { return !strings.Contains(w, "=") }); i >= 0 {
		return changed[i], nil
	}
	return changed[0], nil
}

// nfsWords returns the options of o that are about NFS, as /proc/mounts has
// them: those of the kernel, which may change, come first there.
func nfsWords(o *mountopt.Options) []string {
	return strings.Split(o.String(), ",")[len(o.Flags()):]
}

// kernelFlags are the flags of mount(2) that may change, with the words for
// them and their numbers in statfs(2).
var kernelFlags = []struct {
	word  string
	mount uintptr
	stat  uint64
}{
	{"ro", unix.MS_RDONLY, unix.ST_RDONLY},
	{"nosuid", unix.MS_NOSUID, unix.ST_NOSUID},
	{"nodev", unix.MS_NODEV, unix.ST_NODEV},
	{"noexec", unix.MS_NOEXEC, unix.ST_NOEXEC},
	{"sync", unix.MS_SYNCHRONOUS, unix.ST_SYNCHRONOUS},
	{"noatime", unix.MS_NOATIME, unix.ST_NOATIME},
	{"nodiratime", unix.MS_NODIRATIME, unix.ST_NODIRATIME},
	{"relatime", unix.MS_RELATIME, unix.ST_RELATIME},
	{"dirsync", unix.MS_DIRSYNC, 0},
	{"strictatime", unix.MS_STRICTATIME, 0},
}

// words returns the words for flags of statfs(2).
func words(stat uint64) (w []string) {
	for _, f := range kernelFlags {
		if stat&f.stat != 0 {
			w = append(w, f.word)
		}
	}
	return w
}

// flags returns the flags of mount(2) for o. The sync of noac is not one of
// them: package client sees to that.
func flags(o *mountopt.Options) (m uintptr) {
	in := (&mountopt.Options{VFS: o.VFS}).Flags()
	for _, f := range kernelFlags {
		if slices.Contains(in, f.word) {
			m |= f.mount
		}
	}
	return m
}
