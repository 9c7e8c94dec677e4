#include "memory/hugetlbfs.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>
#include <system_error>

namespace gapless {
namespace {

// Any signal interrupts fallocate() on a hugetlbfs, also one that the kernel sends itself, as io_uring does when a
// ring is taken apart; what was allocated until then is there, and found so the next time.
template <typename Call>
void call(const char* what, Call function) {
    while (function() != 0)
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void mount_hugetlbfs(const std::string& directory, std::uint64_t page_size) {
    // mode= and pagesize=: Documentation/admin-guide/mm/hugetlbpage.rst, "Using Huge Pages".
    const std::string options = "mode=0700,pagesize=" + std::to_string(page_size);
    call("mount of a hugetlbfs", [&] {
        return mount("gapless", directory.c_str(), "hugetlbfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str());
    });
}

void allocate_pages(int file, std::uint64_t offset, std::uint64_t nbytes) {
    call("fallocate", [=] { return fallocate(file, 0, static_cast<off_t>(offset), static_cast<off_t>(nbytes)); });
}

void give_back_pages(int file, std::uint64_t offset, std::uint64_t nbytes) {
    call("fallocate of a hole", [=] {
        return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                         static_cast<off_t>(nbytes));
    });
}

}  // namespace gapless
