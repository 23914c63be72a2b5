package mountopt

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Limits of a spec (nfs-utils, utils/mount/parse_dev.c; RFC 1813, MNTPATHLEN).
const (
	maxHost  = 255
	maxPath  = 1024
	maxHosts = 16 // ours: each may cost minutes when it is away
)

// Spec is what is mounted: an export of a server.
type Spec struct {
	Host string // name or address; an IPv6 address has no brackets, and keeps its %scope. May be a list, see Hosts
	Path string // the export as mountd knows it: bytes, not necessarily UTF-8
	Port uint16 // of NFS, as an nfs:// URL may give it; 0: it gave none
}

// ParseSpec reads what mount(8) calls the device. Three forms are known:
//
//	host:/path             split at the first colon
//	[fe80::1%eth0]:/path   anything may stand in the brackets
//	nfs://host:port/path   RFC 2224, the port may be left out
//
// Instead of one host there may be several with commas between them, which all
// serve the same: see Spec.Hosts.
//
// A path is not cleaned, and need not begin with a slash: servers have exports
// of any name. The path of a URL is percent-decoded; it begins where the
// server's public file handle is, for which "/" is taken, so that nfs://h/e and
// nfs://h//e both are h:/e. Errors are *Error.
func ParseSpec(s string) (Spec, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return Spec{}, specError(s, "NUL byte in it")
	}
	var spec Spec
	var err error
	switch {
	case isURL(s):
		spec, err = parseURL(s)
	case strings.HasPrefix(s, "["):
		host, path, found := strings.Cut(s[1:], "]")
		if !found {
			return Spec{}, specError(s, "closing bracket missing from server address")
		}
		if !strings.HasPrefix(path, ":") {
			return Spec{}, specError(s, "remote share not in 'host:dir' format")
		}
		spec = Spec{Host: host, Path: path[1:]}
	default:
		host, path, found := strings.Cut(s, ":")
		if !found {
			return Spec{}, specError(s, "remote share not in 'host:dir' format")
		}
		spec = Spec{Host: host, Path: path}
	}
	if err != nil {
		return Spec{}, err
	}
	return spec, spec.check(s)
}

// check applies the rules that hold for every form. s is what was written.
func (s Spec) check(written string) error {
	switch {
	case s.Host == "":
		return specError(written, "remote share not in 'host:dir' format: the host is missing")
	case s.Path == "":
		return specError(written, "remote share not in 'host:dir' format: the path is missing")
	case len(s.Path) > maxPath:
		return specError(written, "export pathname is too long (at most 1024 bytes)")
	}
	hosts := s.Hosts()
	if len(hosts) > maxHosts {
		return specError(written, "more than 16 servers")
	}
	for _, h := range hosts {
		switch {
		case h == "":
			return specError(written, "remote share not in 'host:dir' format: a host is missing between commas")
		case len(h) > maxHost:
			return specError(written, "server hostname is too long (at most 255 bytes)")
		case strings.ContainsFunc(h, notInHost):
			return specError(written, "the hostname has a blank, a slash, a bracket or a control character in it")
		}
	}
	return nil
}

// Hosts returns the servers of the spec in the order in which they are tried:
// "a,b:/path" is mounted from b if a does not serve it.
func (s Spec) Hosts() []string { return strings.Split(s.Host, ",") }

// isHost reports whether h may be a host's name or address.
func isHost(h string) bool {
	return h != "" && len(h) <= maxHost && !strings.ContainsFunc(h, notInHost) && !strings.Contains(h, ",")
}

func isURL(s string) bool { return len(s) >= 6 && strings.EqualFold(s[:6], "nfs://") }

func notInHost(r rune) bool {
	return strings.ContainsRune("/[]", r) || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// parseURL reads an NFS URL. RFC 2224 has neither users nor queries.
func parseURL(s string) (Spec, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Spec{}, specError(s, "not an NFS URL: "+urlFault(err))
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#") {
		return Spec{}, specError(s, "not an NFS URL: it is nfs://host[:port]/path, without user, query or fragment")
	}
	spec := Spec{Host: u.Hostname(), Path: "/" + strings.TrimLeft(u.Path, "/")}
	if strings.IndexByte(spec.Path, 0) >= 0 {
		return Spec{}, specError(s, "NUL byte in the path")
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return Spec{}, specError(s, "not an NFS URL: port "+show(p)+" is not 1 to 65535")
		}
		spec.Port = uint16(n)
	}
	return spec, nil
}

// urlFault is the reason within what url.Parse returned, which would otherwise
// repeat the URL.
func urlFault(err error) string {
	if e, ok := err.(*url.Error); ok {
		return e.Err.Error()
	}
	return err.Error()
}

func specError(spec, msg string) *Error {
	return &Error{Kind: Syntax, Value: spec, Msg: strings.Trim(show(spec), "'") + ": " + msg}
}

// String returns the spec as "host:path", the source of the mount in
// /proc/mounts; a port that came with a URL is not in it.
func (s Spec) String() string {
	plain := s.Host + ":" + s.Path
	if strings.Contains(s.Host, ":") || isURL(plain) {
		return "[" + s.Host + "]:" + s.Path
	}
	return plain
}
