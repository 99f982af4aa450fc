// Stands in for the file of this name that the Go module of Argo Workflows lacks: processes and signals on Linux.
package osspecific

import (
	"os"
	"syscall"

	"github.com/argoproj/argo-workflows/v4/util/errors"
)

// Term asks a process to end.
var Term = syscall.SIGTERM

// CanIgnoreSignal tells signals that are not passed on to the command.
func CanIgnoreSignal(s os.Signal) bool { return s == syscall.SIGCHLD || s == syscall.SIGURG }

// Setpgid has a process begin a group.
func Setpgid(a *syscall.SysProcAttr) { a.Setpgid = true }

// Kill signals the group that a process is in.
func Kill(pid int, s syscall.Signal) error {
	if group, err := syscall.Getpgid(pid); err == nil {
		return syscall.Kill(-group, s)
	}
	return syscall.Kill(pid, s)
}

// Wait reaps children until the command has ended, and gives its exit code as an error.
func Wait(process *os.Process) error {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case ended == process.Pid && status.Signaled():
			return errors.NewExitErr(128 + int(status.Signal()))
		case ended == process.Pid:
			return errors.NewExitErr(status.ExitStatus())
		}
	}
}
