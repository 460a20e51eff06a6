package debian

import (
	"reflect"
	"testing"
)

// Lines as apt-get -s install prints them (apt 2.6): a new package, an upgrade with its order
// of configuration, another architecture's, and one that has to go.
func TestTheStepsAreAptsInItsOrder(t *testing.T) {
	got := stepsOf(`The following NEW packages will be installed:
  redis-server
Remv exim4 [4.96-15] []
Inst libpq5 [15.13-0+deb12u1] (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64]) []
Inst libc6:i386 (2.36-9 Debian:12.15/oldstable [i386])
Conf libpq5 (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64])
Inst redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security, Debian:12 [amd64])
Conf redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
`)
	want := []Step{
		{Do: Remove, Packages: []Package{{"exim4", ""}}},
		{Do: Unpack, Packages: []Package{{"libpq5", "15.20-0+deb12u1"}, {"libc6", "2.36-9"}}, archives: []string{"libpq5_15.20-0+deb12u1_amd64.deb", "libc6_2.36-9_i386.deb"}},
		{Do: Configure, Packages: []Package{{"libpq5", "15.20-0+deb12u1"}}},
		{Do: Unpack, Packages: []Package{{"redis-server", "5:7.0.15-1~deb12u10"}}, archives: []string{"redis-server_5%3a7.0.15-1~deb12u10_amd64.deb"}},
		{Do: Configure, Packages: []Package{{"redis-server", "5:7.0.15-1~deb12u10"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the steps are %+v\nexpected      %+v", got, want)
	}
}

func TestAptsComplaintIsOneLine(t *testing.T) {
	got := lastComplaint("W: a warning\nE: Unable to correct problems, you have held broken packages.\n", " a : Depends: b (>= 2) but 1 is to be installed\n")
	if want := "a : Depends: b (>= 2) but 1 is to be installed; Unable to correct problems, you have held broken packages."; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}
