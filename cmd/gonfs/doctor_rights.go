package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// lastReserved is the last port that only privileged programs may use.
const lastReserved = 1023

// rights looks at what this user may do at the server, and from which ports.
func (d *doctor) rights(ctx context.Context, s *mount.Session) {
	began := time.Now()
	const all = nfs3.AccessRead | nfs3.AccessLookup | writeBits
	var reply nfs3.AccessReply
	cred := rpc.ProcessCred()
	err := s.NFS().Access(ctx, cred, &nfs3.AccessArgs{Object: s.Root(), Access: all}, &reply)
	f := finding{Check: "rights", Server: s.Server(), Transport: s.Options().Proto.Value,
		Asked: fmt.Sprintf("ACCESS to the root of the export as user %d", cred.UID), LatencyMS: since(began), Answer: textOr(err, accessWords(reply.Access))}
	if err != nil {
		fault := d.fault("ACCESS", d.spec.Hosts()[0], s.Options().Proto.Value, 0, err)
		f.Result = isWarning
		f.Cause, f.Try = fault.diagnose()
	} else {
		f.Result, f.Cause, f.Try = judgeAccess(cred, s.RootAttr(), reply.Access, d.opts.ReadOnly)
	}
	d.add(f)
	d.ports(ctx, s)
}

// writeBits are what it takes to change a directory.
const writeBits = nfs3.AccessModify | nfs3.AccessExtend | nfs3.AccessDelete

// accessWords are the bits of ACCESS in words.
func accessWords(granted uint32) string {
	var l []string
	for _, b := range []struct {
		bit  uint32
		word string
	}{{nfs3.AccessRead, "read"}, {nfs3.AccessLookup, "lookup"}, {nfs3.AccessModify, "modify"}, {nfs3.AccessExtend, "extend"}, {nfs3.AccessDelete, "delete"}} {
		if granted&b.bit != 0 {
			l = append(l, b.word)
		}
	}
	if len(l) == 0 {
		return "nothing is granted"
	}
	return "granted: " + strings.Join(l, ", ")
}

// byMode is what three bits of a directory's mode grant.
func byMode(bits uint32) (granted uint32) {
	if bits&4 != 0 {
		granted |= nfs3.AccessRead
	}
	if bits&1 != 0 {
		granted |= nfs3.AccessLookup
	}
	if bits&3 == 3 {
		granted |= writeBits
	}
	return granted
}

// judgeAccess explains what a user was granted in a directory.
func judgeAccess(cred *rpc.Cred, a nfs3.Fattr, granted uint32, readOnly bool) (r result, cause string, try []string) {
	const reads = nfs3.AccessRead | nfs3.AccessLookup
	class, bits := "others", a.Mode&7
	switch {
	case cred.UID == a.UID:
		class, bits = "its owner", a.Mode>>6&7
	case cred.GID == a.GID || slices.Contains(cred.Groups(), a.GID):
		class, bits = "its group", a.Mode>>3&7
	}
	expected := byMode(bits)
	if cred.UID == 0 {
		expected = reads | writeBits
	}
	some := granted&writeBits != 0 // REMOVE may be denied where CREATE is not
	switch {
	case granted&reads == reads && (some || readOnly):
		return isOK, "", nil
	case cred.UID == 0 && granted&reads == reads && byMode(a.Mode&7)&writeBits == 0:
		return isNote, fmt.Sprintf("the export is read-only, or root is squashed to nobody, who may not write here (mode %04o)", a.Mode&0o7777),
			[]string{"exportfs -v    # on the server: ro, root_squash"}
	case cred.UID == 0 && granted&reads != reads:
		return isWarning, fmt.Sprintf("root is squashed to nobody, who may not look into the export (mode %04o of %d:%d); try it as the user who needs it", a.Mode&0o7777, a.UID, a.GID),
			[]string{"exportfs -v    # on the server: root_squash"}
	case granted&reads != reads && expected&reads != reads:
		return isWarning, fmt.Sprintf("user %d may not look into the export: mode %04o counts for %s", cred.UID, a.Mode&0o7777, class), []string{"id"}
	case granted&reads != reads:
		return isWarning, fmt.Sprintf("mode %04o would let user %d in: the server maps users (all_squash), or an access list is in the way", a.Mode&0o7777, cred.UID),
			[]string{"exportfs -v    # on the server: all_squash, anonuid"}
	case expected&writeBits != 0:
		return isNote, fmt.Sprintf("mode %04o would let user %d write: the export is read-only, or the server maps users", a.Mode&0o7777, cred.UID),
			[]string{"exportfs -v    # on the server: ro, all_squash"}
	}
	return isNote, fmt.Sprintf("mode %04o does not let user %d, who counts as %s, write in the root of the export", a.Mode&0o7777, cred.UID, class), nil
}

// ports tells where the calls come from, and tries whether any port will do.
func (d *doctor) ports(ctx context.Context, s *mount.Session) {
	from := s.Source()
	f := finding{Check: "ports", Server: s.Server(), Transport: s.Options().Proto.Value, Asked: "the source port", Answer: fmt.Sprint(from.Port()), Result: isOK}
	if from.Port() == 0 {
		return // a tunnel
	}
	if from.Port() > lastReserved {
		f.Answer += ", which anybody may use; the export allows it"
		if d.opts.Resvport.Or(true) {
			f.Answer = fmt.Sprintf("%d: this user cannot have one below 1024; the export does without", from.Port())
		}
		d.add(f)
		return
	}
	f.Answer += ", below 1024: it takes privilege"
	d.add(f)
	o := s.Options().Clone() // transports and ports are known by now: no rpcbind is asked
	o.Port = mountopt.Some(portOf(o))
	o.Resvport, o.MountHost, o.MountAt = mountopt.Some(false), d.opts.MountHost, d.opts.MountAt
	began := time.Now()
	high, err := mount.Dial(ctx, mount.Config{Spec: d.spec, Options: o, Cred: rpc.ProcessCred()})
	f = finding{Check: "ports", Server: s.Server(), Transport: s.Options().Proto.Value, Asked: "the same mount with noresvport",
		Answer: "it works: the export allows ports above 1023 (insecure)", LatencyMS: since(began), Result: isOK}
	if err != nil {
		f.Answer, f.Result = textOr(err, ""), isNote
		f.Cause = "the export wants ports below 1024: ordinary users cannot mount it, and a NAT that changes ports breaks it"
	} else if err := high.Umount(ctx); err != nil {
		f.Answer += "; UMNT: " + textOr(err, "")
	}
	d.add(f)
}
