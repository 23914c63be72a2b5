package rpc

import "github.com/gonfs/gonfs/xdr"

// Auth is an authentication flavour of a client (RFC 5531 section 8). One Auth
// serves all calls of a client.
type Auth interface {
	// Flavor is the number of the flavour.
	Flavor() Flavor
	// Marshal appends credential and verifier of a call made as cred.
	Marshal(c *xdr.Codec, cred *Cred)
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

// AuthNone is AUTH_NONE.
func AuthNone() Auth { return nil }

// AuthSys is AUTH_SYS with the given machine name, cut to 255 bytes.
func AuthSys(machine string) Auth { return nil }
