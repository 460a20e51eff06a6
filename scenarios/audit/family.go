package audit

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Family is the family of addresses over which a program is audited.
type Family string

// The families.
const (
	AnyFamily Family = ""     // IPv4, or IPv6 where the server takes no other
	IPv4      Family = "ipv4" // IPv4 alone
	IPv6      Family = "ipv6" // IPv6 alone
	Both      Family = "both" // IPv4, and then IPv6 (answer.Answer.OverIPv6)
)

func (r Request) checkFamily() error {
	switch r.Family {
	case AnyFamily, IPv4, IPv6, Both:
		return nil
	}
	return fmt.Errorf("the family is %q: it must be %s, %s or %s (--family)", r.Family, IPv4, IPv6, Both)
}

// families returns the families that are measured, one after the other.
func (r Request) families() []sock.Family {
	switch r.Family {
	case IPv6:
		return []sock.Family{sock.IPv6}
	case Both:
		return []sock.Family{sock.IPv4, sock.IPv6}
	}
	return []sock.Family{sock.IPv4}
}

// fill returns an argument with the placeholders replaced. An IPv6 address stands in brackets
// where an argument has a port or a URL around it (RFC 3986 §3.2.2): in "{server}:{port}" and in
// "http://{server}/".
func fill(argument string, server netip.Addr, port uint16) string {
	bare, host := server.String(), server.String()
	if server.Is6() {
		host = "[" + bare + "]"
	}
	return strings.NewReplacer(
		"//"+serverPlaceholder, "//"+host,
		serverPlaceholder+":", host+":",
		serverPlaceholder, bare,
		portPlaceholder, fmt.Sprint(port),
	).Replace(argument)
}
