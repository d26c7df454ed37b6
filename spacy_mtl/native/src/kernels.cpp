#include "kernels.h"

#include <cstring>

namespace mtl {
namespace {

struct Named {
    const char* name;
    const Kernels* (*find)();
};

constexpr Named all[] = {
    {"avx512", kernels_avx512}, {"avx2", kernels_avx2}, {"plain", kernels_plain}};

const Named* choose(const char* name) {
    for (const Named& one : all)
        if ((name == nullptr || std::strcmp(name, one.name) == 0) && one.find() != nullptr)
            return &one;
    return nullptr;
}

const Named* chosen = choose(nullptr);

}  // namespace

const Kernels& kernels() { return *chosen->find(); }

const char* instructions() { return chosen->name; }

bool use_instructions(const char* name) {
    const Named* found = choose(name);
    if (found != nullptr) chosen = found;
    return found != nullptr;
}

}  // namespace mtl
