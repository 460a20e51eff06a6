package audit

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
)

// certificates is the directory in the programs' root with the certificate of the run.
const certificates = "/etc/halfopen"

// The placeholders in the commands of programs for the files of the certificate.
const (
	authorityPlaceholder   = "{ca}"
	certificatePlaceholder = "{certificate}"
	keyPlaceholder         = "{key}"
)

// certificateFiles are the names of the files that the placeholders stand for.
var certificateFiles = map[string]string{
	authorityPlaceholder:   "ca.pem",
	certificatePlaceholder: "certificate.pem",
	keyPlaceholder:         "key.pem",
}

// labAddresses are the addresses of a server in a lab, and where one listens that is reached
// by address translation.
var labAddresses = []netip.Addr{
	netip.MustParseAddr("198.51.100.20"), netip.MustParseAddr("2001:db8:2::20"),
	netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"),
}

// certify makes the certificate of the run, and writes it where the programs find it: in
// their root in a guest, and in the report's directory on the running kernel, where nothing
// of this machine is changed.
func (p *plan) certify(report string) error {
	if !p.Conversation.TLS {
		return nil
	}
	identity, err := conversation.NewIdentity(time.Now(), []string{"server", "client", "localhost"}, labAddresses)
	if err != nil {
		return err
	}
	if p.tls, err = identity.Config(); err != nil {
		return err
	}
	p.certificates = certificates
	directory := filepath.Join(p.Programs[p.UnderTest].Root, certificates)
	if p.RealTime {
		directory = filepath.Join(report, "certificate")
		p.certificates = directory
	}
	return writeIdentity(identity, directory)
}

// writeIdentity writes a certificate's files into a directory. All may read them: the program
// may be any user's, and the key is worth nothing after the run.
func writeIdentity(i *conversation.Identity, directory string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("making room for the certificate: %w", err)
	}
	for placeholder, content := range map[string][]byte{
		authorityPlaceholder: i.Authority, certificatePlaceholder: i.Certificate, keyPlaceholder: i.Key,
	} {
		if err := atomicfile.WriteFile(filepath.Join(directory, certificateFiles[placeholder]), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// withCertificate returns an argument with the placeholders of the certificate replaced.
func (p *plan) withCertificate(argument string) string {
	for placeholder, name := range certificateFiles {
		argument = strings.ReplaceAll(argument, placeholder, filepath.Join(p.certificates, name))
	}
	return argument
}
