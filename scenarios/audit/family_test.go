package audit

import (
	"net/netip"
	"strings"
	"testing"
)

// RFC 3986 §3.2.2: an IPv6 address in a URL, or before a port, stands in brackets.
func TestPlaceholdersAreReplaced(t *testing.T) {
	for argument, want := range map[string][2]string{
		"{server}":                   {"192.0.2.1", "2001:db8::1"},
		"{server}:{port}":            {"192.0.2.1:80", "[2001:db8::1]:80"},
		"http://{server}:{port}/a":   {"http://192.0.2.1:80/a", "http://[2001:db8::1]:80/a"},
		"http://{server}/":           {"http://192.0.2.1/", "http://[2001:db8::1]/"},
		"host={server} port={port}":  {"host=192.0.2.1 port=80", "host=2001:db8::1 port=80"},
		"[{server}]":                 {"[192.0.2.1]", "[2001:db8::1]"},
		"{server},{server}:{port},x": {"192.0.2.1,192.0.2.1:80,x", "2001:db8::1,[2001:db8::1]:80,x"},
		"none":                       {"none", "none"},
	} {
		for i, server := range []string{"192.0.2.1", "2001:db8::1"} {
			if got := fill(argument, netip.MustParseAddr(server), 80); got != want[i] {
				t.Errorf("%s with %s becomes %s, expected %s", argument, server, got, want[i])
			}
		}
	}
}

func TestAFamilyIsOneOfThree(t *testing.T) {
	for _, family := range []Family{AnyFamily, IPv4, IPv6, Both} {
		r := served()
		r.Family = family
		if err := r.Check(); err != nil {
			t.Errorf("%q: %v", family, err)
		}
	}
	r := served()
	r.Family = "IPv5"
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), "it must be ipv4, ipv6 or both") {
		t.Errorf("%v", err)
	}
}
