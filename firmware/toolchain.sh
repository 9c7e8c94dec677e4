#!/bin/sh
# Builds a C compiler for the MicroBlaze from Debian's own source packages; none is packaged.
#
# About ten minutes on two cores, 40 MB at the end. A second run returns at once. The packages are unpacked beside
# the build, not installed, so no rights beyond those of `apt-get download` are needed; the host needs a C++ compiler,
# make, flex, bison and xz. GCC 12.2 and binutils 2.40, Debian 12's, are what the committed programs were built with:
# other versions give other bytes, which `make -C firmware check` reports.
#
#   GAPLESS_TOOLCHAIN  where it goes (default: ~/.cache/gapless/microblaze-toolchain)
#   JOBS               processes at once (default: the number of cores)
set -eu

target=microblazeel-xilinx-elf
prefix=${GAPLESS_TOOLCHAIN:-$HOME/.cache/gapless/microblaze-toolchain}
jobs=${JOBS:-$(nproc)}

if [ -x "$prefix/bin/$target-gcc" ] && [ -e "$prefix/complete" ]; then
    echo "$prefix: already built"
    exit 0
fi

mkdir -p "$prefix"
work=$prefix/work
rm -rf "$work"
mkdir -p "$work/packages" "$work/binutils" "$work/gcc"

# GCC's own arithmetic libraries are linked statically, so that the compiler outlives an upgrade of the host's.
cd "$work/packages"
apt-get download binutils-source gcc-12-source libgmp-dev libmpfr-dev libmpc-dev
for package in ./*.deb; do
    dpkg-deb -x "$package" "$work/packages"
done
libraries=$(dirname "$(find "$work/packages" -name libmpc.a)")
find "$libraries" -name '*.so' -delete
cp "$(find "$work/packages" -name gmp.h)" "$work/packages/usr/include/"

tar -C "$work/binutils" --strip-components=1 -xf "$work"/packages/usr/src/binutils/binutils-*.tar.xz
tar -C "$work/gcc" --strip-components=1 -xf "$work"/packages/usr/src/gcc-12/gcc-12*.tar.xz

# quietly LOG COMMAND...: a build's output is worth reading only when it failed.
quietly() {
    log=$work/$1.log
    shift
    "$@" >>"$log" 2>&1 || { tail -n 40 "$log"; echo "failed; all of it is in $log"; exit 1; }
}

# MAKEINFO=true: no manuals.
echo "building binutils"
mkdir "$work/build-binutils"
cd "$work/build-binutils"
quietly binutils ../binutils/configure --prefix="$prefix" --target=$target --disable-nls --disable-werror \
    --disable-gdb --disable-gprofng --disable-sim --without-zstd
quietly binutils make MAKEINFO=true -j"$jobs" all-binutils all-gas all-ld
quietly binutils make MAKEINFO=true install-binutils install-gas install-ld

echo "building gcc"
mkdir "$work/build-gcc"
cd "$work/build-gcc"
PATH=$prefix/bin:$PATH
export PATH
quietly gcc ../gcc/configure --prefix="$prefix" --target=$target --enable-languages=c --without-headers \
    --disable-nls --disable-multilib --disable-shared --disable-threads --disable-libssp --disable-libquadmath \
    --disable-libgomp --disable-libatomic --disable-lto --disable-plugin --disable-bootstrap --without-isl \
    --without-zstd --with-gmp-include="$work/packages/usr/include" --with-gmp-lib="$libraries" \
    --with-mpfr-include="$work/packages/usr/include" --with-mpfr-lib="$libraries" \
    --with-mpc-include="$work/packages/usr/include" --with-mpc-lib="$libraries"
quietly gcc make MAKEINFO=true -j"$jobs" all-gcc
quietly gcc make MAKEINFO=true -j"$jobs" all-target-libgcc
# Installing would make a manual's source, from a text that Debian's packages leave out.
touch gcc/s-tm-texi
quietly gcc make MAKEINFO=true install-gcc install-target-libgcc

cd "$prefix"
rm -rf "$work" share
find bin libexec $target/bin -type f -exec strip {} + 2>/dev/null || true  # some are scripts
touch complete
echo "$prefix: built"
