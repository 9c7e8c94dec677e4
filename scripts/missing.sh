# Says what this machine lacks to build gapless; prints nothing when it lacks nothing.
#
#   sh scripts/missing.sh PYTHON             one line for a person, naming the Debian packages
#   sh scripts/missing.sh --packages PYTHON  the Debian packages only, for .ci/run
#
# Looks for the things themselves, not for packages, so that any Python and any compiler will do.

form=sentence
if [ "$1" = --packages ]; then
    form=packages
    shift
fi
python=${1:-python3}
lacks= packages=

lack() { # lack WHAT PACKAGE
    lacks="${lacks:+$lacks, }$1"
    packages="${packages:+$packages }$2"
}

runs() { # runs PYTHON-STATEMENT
    "$python" -c "$1" >/dev/null 2>&1
}

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

[ -n "$packages" ] || exit 0
case $form in
packages) echo "$packages" ;;
sentence) echo "gapless needs $lacks: apt-get install $packages" ;;
esac
