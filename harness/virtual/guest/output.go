package guest

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// output receives what a command prints, and passes it on to a file and to the console.
type output struct {
	write *os.File // the command's end
	read  *os.File
	file  *os.File
	ended chan struct{}
}

// afterwards is how long, in virtual time, what a command has started may still print
// when the command has ended.
const afterwards = 10 * time.Millisecond

// openOutput makes the file and its directory.
func openOutput(name string) (*output, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	o := &output{write: write, read: read, file: file, ended: make(chan struct{})}
	go o.pass()
	return o, nil
}

// pass passes everything on until the pipe's end, or until its deadline.
func (o *output) pass() {
	defer close(o.ended)
	for buffer := make([]byte, 32<<10); ; {
		n, err := o.read.Read(buffer)
		// A full file system shows in the report that is missing then.
		_, _ = o.file.Write(buffer[:n])
		_, _ = os.Stdout.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

// close ends it after the command.
func (o *output) close() {
	_ = o.write.Close()
	_ = o.read.SetReadDeadline(time.Now().Add(afterwards))
	<-o.ended
	_, _ = o.read.Close(), o.file.Close()
}
