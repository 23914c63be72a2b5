package rpc

import (
	"encoding/binary"

	"github.com/gonfs/gonfs/xdr"
)

// Auth is an authentication flavour of a client (RFC 5531 section 8). One Auth
// serves all calls of a client, concurrently. A flavour that must also wrap
// arguments or sign the message (RPCSEC_GSS) will say so by further, optional
// interfaces; callers do not change.
type Auth interface {
	// Flavor is the number of the flavour.
	Flavor() Flavor
	// Marshal appends credential and verifier of a call made as cred. It must
	// append the same bytes when the same call is sent again, except where the
	// flavour itself demands otherwise.
	Marshal(c *xdr.Codec, cred *Cred)
	// Verify checks the verifier of a reply to a call made as cred. body is at
	// most 400 bytes and must not be kept. An error makes the reply a
	// *ProtocolError. Verify must not wait: others' replies may have to wait
	// for it, and so does Client.Close.
	Verify(cred *Cred, flavor Flavor, body []byte) error
}

// Flavor is auth_flavor of RFC 5531 section 8.1.
type Flavor uint32

// The flavours.
const (
	FlavorNone  Flavor = 0
	FlavorSys   Flavor = 1
	FlavorShort Flavor = 2
	FlavorDH    Flavor = 3
	FlavorGSS   Flavor = 6
	FlavorTLS   Flavor = 7
)

const (
	maxAuth    = 400 // longest body of a credential or verifier (RFC 5531 section 8.2)
	maxMachine = 255 // longest machinename (RFC 5531 appendix A)
)

// AuthNone is AUTH_NONE: calls carry no identity.
func AuthNone() Auth { return authNone{} }

type authNone struct{}

func (authNone) Flavor() Flavor { return FlavorNone }

func (authNone) Marshal(c *xdr.Codec, _ *Cred) {
	var zero uint64
	c.Uint64(&zero) // credential: AUTH_NONE, no body
	c.Uint64(&zero) // verifier: the same
}

func (authNone) Verify(_ *Cred, f Flavor, _ []byte) error { return plainVerifier(f) }

// AuthSys is AUTH_SYS with the given machine name, cut to 255 bytes. The stamp
// is 0: it is arbitrary, and a constant keeps retransmissions equal.
func AuthSys(machine string) Auth {
	return &authSys{machine: machine[:min(len(machine), maxMachine)]}
}

type authSys struct{ machine string }

func (*authSys) Flavor() Flavor { return FlavorSys }

func (a *authSys) Marshal(c *xdr.Codec, cred *Cred) {
	gids := cred.GIDs[:min(cred.NGIDs, MaxGIDs)]
	length := 20 + (len(a.machine)+3)&^3 + 4*len(gids)
	var room [8 + maxAuth + 8]byte // at once: this is a part of each call
	const stamp, empty = 0, 0
	b := words(room[:0], uint32(FlavorSys), uint32(length), stamp, uint32(len(a.machine)))
	b = append(append(b, a.machine...), "\x00\x00\x00"[:-len(a.machine)&3]...)
	b = words(b, cred.UID, cred.GID, uint32(len(gids)))
	b = words(b, gids...)
	c.Fixed(words(b, uint32(FlavorNone), empty))
}

// words appends unsigned integers to b.
func words(b []byte, ws ...uint32) []byte {
	for _, w := range ws {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func (*authSys) Verify(_ *Cred, f Flavor, _ []byte) error { return plainVerifier(f) }

// plainVerifier takes the verifiers that may answer AUTH_NONE and AUTH_SYS
// (RFC 5531 section 8.2 and appendix A); nothing in them is checked.
func plainVerifier(f Flavor) error {
	if f == FlavorNone || f == FlavorSys || f == FlavorShort {
		return nil
	}
	return &flavorError{f}
}

// decodeSys reads the body of an AUTH_SYS credential. More gids than 16 or a
// longer machine name than 255 bytes are errors.
func decodeSys(body []byte, cred *Cred) bool {
	c := xdr.NewDecoder(body)
	var stamp, n uint32
	c.Uint32(&stamp)
	c.Uint32(&n)
	if n > maxMachine {
		return false
	}
	skip(c, n)
	c.Uint32(&cred.UID)
	c.Uint32(&cred.GID)
	c.Uint32(&n)
	if n > MaxGIDs {
		return false
	}
	cred.NGIDs = uint8(n)
	for i := range n {
		c.Uint32(&cred.GIDs[i])
	}
	return c.Err() == nil
}
