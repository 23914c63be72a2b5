package mount

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/gonfs/gonfs/rpc"
)

// Pseudo-flavours of RPCSEC_GSS that mountd lists (RFC 2623 section 2.1 and
// IANA's list of auth numbers); they are known here for messages.
const (
	flavorKrb5  = 390003
	flavorKrb5i = 390004
	flavorKrb5p = 390005
)

// FlavorError means that none of the flavours that may be used is accepted by
// the export.
type FlavorError struct {
	Wanted  []string // sec= as given; empty if it was not
	Offered []uint32 // the server's list
}

// Error implements error.
func (e *FlavorError) Error() string {
	names := make([]string, len(e.Offered))
	for i, f := range e.Offered {
		names[i] = flavorName(f)
	}
	offered := strings.Join(names, ":")
	if len(e.Wanted) > 0 {
		return fmt.Sprintf("the export takes sec=%s, not sec=%s", offered, strings.Join(e.Wanted, ":"))
	}
	return fmt.Sprintf("the export takes sec=%s, and this client has sec=sys and sec=none", offered)
}

// Is makes errors.Is(err, syscall.EACCES) hold.
func (e *FlavorError) Is(target error) bool { return target == syscall.EACCES }

// ChooseFlavor chooses the flavour of the NFS calls: wanted is sec= as given,
// in order, or empty; offered is the list of MNT. The rules are those of the
// Linux client.
//
// Given flavours: the first of the server's list that is among them; if there
// is none but the server lists AUTH_NONE, which stands for "any", the first
// one wanted. None given: the first of the server's list that this client has,
// where AUTH_NONE does not count, for it is no choice to make silently; with
// AUTH_NONE in the list, or an empty list, AUTH_SYS. Otherwise a *FlavorError.
func ChooseFlavor(wanted []string, offered []uint32) (rpc.Flavor, error) {
	anything := len(offered) == 0 || slices.Contains(offered, uint32(rpc.FlavorNone))
	if len(wanted) == 0 {
		if anything || slices.Contains(offered, uint32(rpc.FlavorSys)) {
			return rpc.FlavorSys, nil
		}
		return 0, &FlavorError{Offered: offered}
	}
	for _, f := range offered {
		if slices.ContainsFunc(wanted, func(w string) bool { return secFlavor(w) == int64(f) }) {
			return rpc.Flavor(f), nil
		}
	}
	if f := secFlavor(wanted[0]); anything && f >= 0 {
		return rpc.Flavor(f), nil
	}
	return 0, &FlavorError{Wanted: wanted, Offered: offered}
}

// secFlavor returns the flavour of a name of sec=, or -1 for one that this
// client does not have.
func secFlavor(name string) int64 {
	switch name {
	case "sys":
		return int64(rpc.FlavorSys)
	case "none", "null":
		return int64(rpc.FlavorNone)
	}
	return -1
}

// flavorName is the name of sec= for a flavour, or its number.
func flavorName(f uint32) string {
	switch f {
	case uint32(rpc.FlavorNone):
		return "none"
	case uint32(rpc.FlavorSys):
		return "sys"
	case flavorKrb5:
		return "krb5"
	case flavorKrb5i:
		return "krb5i"
	case flavorKrb5p:
		return "krb5p"
	}
	return fmt.Sprint(f)
}
