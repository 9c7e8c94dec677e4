# Says what this machine lacks to build gapless; prints nothing when it lacks nothing.
#
#   sh scripts/missing.sh PYTHON             one line for a person, naming the Debian packages
#   sh scripts/missing.sh --packages PYTHON  the Debian packages only, for .ci/run: also what kernel-test takes
#   sh scripts/missing.sh --kernel-test PYTHON, --kernel-test-full PYTHON
#                                            one line, on what these take beyond the rest
#
# Looks for the things themselves, not for packages, so that any Python and any compiler will do.

form=sentence
case $1 in
--*)
    form=${1#--}
    shift
    ;;
esac
python=${1:-python3}
lacks= packages=

lack() { # lack WHAT PACKAGE
    lacks="${lacks:+$lacks, }$1"
    packages="${packages:+$packages }$2"
}

runs() { # runs PYTHON-STATEMENT
    "$python" -c "$1" >/dev/null 2>&1
}

has() { # has PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || lack "$1" "$2"
}

# The kernels, QEMU and the guest's files are downloaded by the test itself; this is what makes and starts them.
kernel_test() {
    # Not for .ci/run to replace: its caller chose the interpreter.
    [ "$form" = packages ] || runs 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
        lack "Python 3.11, as its guests have (make PYTHON=python3.11)" "python3.11 python3.11-venv python3.11-dev"
    has apt-get apt
    has dpkg-deb dpkg
    has aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    has dtc device-tree-compiler
    has setpriv util-linux
    if [ "$form" = kernel-test-full ]; then
        has aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
        has bc bc
        has bison bison
        has flex flex
        has xz xz-utils
    fi
}

report() {
    [ -n "$packages" ] || exit 0
    case $form in
    packages) echo "$packages" ;;
    sentence) echo "gapless needs $lacks: apt-get install $packages" ;;
    *) echo "$form needs $lacks: apt-get install $packages" ;;
    esac
    exit 0
}

case $form in kernel-test*)
    kernel_test
    report
    ;;
esac

# Debian's packages of a versioned interpreter carry its name: python3.12 needs python3.12-venv.
debian=python3
case ${python##*/} in python3.[0-9]*) debian=${python##*/} ;; esac

if ! runs 'pass'; then
    lack "Python 3.10 or newer ($python does not run)" "$debian $debian-venv $debian-dev"
elif ! runs 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'; then
    found=$("$python" -c 'import platform; print(platform.python_version())')
    if [ "$form" = sentence ]; then
        echo "gapless needs Python 3.10 to 3.13; $python is $found: name another, as in make PYTHON=python3.12"
    fi
    exit 0 # no package replaces an interpreter the caller chose
else
    runs 'import venv, ensurepip' || lack "Python's venv module" "$debian-venv"
    runs 'import os, sysconfig; os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' ||
        lack "Python's headers (Python.h)" "$debian-dev"
fi

compiles=no
for compiler in ${CXX:-c++ g++ clang++}; do
    if echo '#include <optional>' | "$compiler" -std=c++17 -x c++ -fsyntax-only - >/dev/null 2>&1; then
        compiles=yes
        break
    fi
done
[ $compiles = yes ] || lack "a C++17 compiler (tried ${CXX:-c++, g++, clang++})" g++

if [ "$form" = packages ]; then
    kernel_test
    # The drivers' tests against QEMU's own DMA engines, and a judge of our archives.
    has qemu-system-aarch64 qemu-system-arm
    has qemu-system-microblazeel qemu-system-misc
    has cpio cpio
fi
report
