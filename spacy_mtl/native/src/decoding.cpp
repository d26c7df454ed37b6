#include "decoding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

namespace mtl {
namespace {

constexpr double IMPOSSIBLE = -std::numeric_limits<double>::infinity();
constexpr float INFINITE = std::numeric_limits<float>::infinity();
constexpr float FORBIDDEN = -INFINITE;
constexpr float VERY_LOW = -1e30f;  // a tag that is forbidden where another one is demanded
constexpr size_t MAX_PARTS = 16;    // that core roles which are there twice split a node into

using Tags = std::vector<long long>;

float score_of(const TagRows& rows, ptrdiff_t row, long long tag) {
    if (tag == 0) return rows.none[row * rows.none_step];
    if (tag <= rows.n_labels) {
        const float begin_offset = rows.begin_offset == nullptr ? 0.0f : rows.begin_offset[row];
        return rows.begin[row * rows.step + tag - 1] + begin_offset;
    }
    const float inside_offset = rows.inside_offset == nullptr ? 0.0f : rows.inside_offset[row];
    return rows.inside[row * rows.step + tag - rows.n_labels - 1] + inside_offset;
}

TagRows from_row(TagRows rows, ptrdiff_t row, ptrdiff_t n_rows) {
    rows.n_rows = n_rows;
    rows.none += row * rows.none_step;
    rows.begin += row * rows.step;
    rows.inside += row * rows.step;
    if (rows.begin_offset != nullptr) rows.begin_offset += row;
    if (rows.inside_offset != nullptr) rows.inside_offset += row;
    return rows;
}

// The Viterbi algorithm. Of a row it is enough to know the best sum so far and, for each label, the
// best sum that ends in it. Where no label does better by going on than by beginning anew, what
// lies before is settled, and the sums start at 0 again.
class Viterbi {
public:
    // Writes the best valid tags. Where some score is not to be compared (see `decode`) all tags
    // are O, and it returns false.
    bool run(const TagRows& rows, long long* tags) {
        const Greedy found = take_best(rows, tags);
        if (found == Greedy::INVALID) solve(rows, tags);
        if (found == Greedy::NOT_COMPARABLE) std::fill_n(tags, rows.n_rows, 0);
        return found != Greedy::NOT_COMPARABLE;
    }

private:
    enum class Greedy { VALID, INVALID, NOT_COMPARABLE };

    // Writes the tag with the highest score of each row, until one is not valid. Looks at the
    // scores of all rows.
    static Greedy take_best(const TagRows& rows, long long* tags) {
        const ptrdiff_t n_labels = rows.n_labels;
        bool is_valid = true;
        const auto highest = kernels().highest;
        const bool is_factored = rows.begin == rows.inside;
        for (ptrdiff_t row = 0; row < rows.n_rows; row++) {
            const float* begin = rows.begin + row * rows.step;
            const float* inside = rows.inside + row * rows.step;
            const float begin_offset = rows.begin_offset == nullptr ? 0.0f : rows.begin_offset[row];
            const float inside_offset = rows.inside_offset == nullptr ? 0.0f : rows.inside_offset[row];
            const float top_begin = highest(begin, n_labels);
            const float top_inside = is_factored ? top_begin : highest(inside, n_labels);
            const float best_begin = top_begin + begin_offset, best_inside = top_inside + inside_offset;
            const float none = rows.none[row * rows.none_step];
            if (!(best_begin < INFINITE && best_inside < INFINITE && std::isfinite(none)))
                return Greedy::NOT_COMPARABLE;
            if (!is_valid) continue;
            const bool is_inside = best_inside > best_begin;
            if (none >= (is_inside ? best_inside : best_begin)) {
                tags[row] = 0;
                continue;
            }
            const float top = is_inside ? top_inside : top_begin;
            const float* labels = is_inside ? inside : begin;
            const ptrdiff_t label = std::find(labels, labels + n_labels, top) - labels;
            tags[row] = 1 + label + (is_inside ? n_labels : 0);
            if (is_inside) {
                const long long before = row ? tags[row - 1] : 0;
                is_valid = before == 1 + label || before == 1 + label + n_labels;
            }
        }
        return is_valid ? Greedy::VALID : Greedy::INVALID;
    }

    void solve(const TagRows& rows, long long* tags) {
        const ptrdiff_t n_labels = rows.n_labels;
        const Kernels& kernel = kernels();
        ptrdiff_t first = 0;  // of the rows that are not settled
        double best = 0;
        nothing_.assign(n_labels, IMPOSSIBLE);
        for (ptrdiff_t row = 0; row < rows.n_rows; row++) {
            ptrdiff_t at = row - first;
            make_room(at + 1, n_labels);
            const double* before = at ? &sums_[(at - 1) * n_labels] : nothing_.data();
            double top;
            if (!kernel.viterbi_step(rows, row, best, before, &sums_[at * n_labels], &top) && at) {
                trace(rows, first, at, tags);
                std::copy_n(&sums_[at * n_labels], n_labels, sums_.begin());
                for (ptrdiff_t k = 0; k < n_labels; k++) sums_[k] -= best;
                top -= best;
                best = 0;
                first = row;
                at = 0;
            }
            const double none = best + static_cast<double>(rows.none[row * rows.none_step]);
            is_none_[at] = none >= top;
            best = std::max(none, top);
            best_[at] = best;
        }
        trace(rows, first, rows.n_rows - first, tags);
    }

    void make_room(ptrdiff_t n_rows, ptrdiff_t n_labels) {
        if (sums_.size() < static_cast<size_t>(n_rows * n_labels)) sums_.resize(2 * n_rows * n_labels);
        if (best_.size() < static_cast<size_t>(n_rows)) {
            best_.resize(2 * n_rows);
            is_none_.resize(2 * n_rows);
        }
    }

    // Writes the tags of rows that are settled, from the last to the first.
    void trace(const TagRows& rows, ptrdiff_t first, ptrdiff_t n_rows, long long* tags) const {
        const ptrdiff_t n_labels = rows.n_labels;
        ptrdiff_t label = -1;  // of the span that goes on at the row after
        for (ptrdiff_t at = n_rows - 1; at >= 0; at--) {
            const double* sums = &sums_[at * n_labels];
            if (label < 0) {
                if (is_none_[at]) {
                    tags[first + at] = 0;
                    continue;
                }
                label = std::max_element(sums, sums + n_labels) - sums;
            }
            const double best_before = at ? best_[at - 1] : 0.0;
            const double opened = best_before + score_of(rows, first + at, 1 + label);
            if (at && sums[label] > opened) {
                tags[first + at] = 1 + n_labels + label;
            } else {
                tags[first + at] = 1 + label;
                label = -1;
            }
        }
    }

    std::vector<double> sums_, best_, nothing_;
    std::vector<char> is_none_;
};

struct Span {
    ptrdiff_t start, end;
    ptrdiff_t label;
};

std::vector<Span> spans_of(const Tags& tags, ptrdiff_t n_labels) {
    std::vector<Span> spans;
    for (ptrdiff_t row = 0; row < static_cast<ptrdiff_t>(tags.size()); row++) {
        const ptrdiff_t tag = tags[row];
        if (tag > n_labels) spans.back().end = row + 1;
        else if (tag > 0) spans.push_back({row, row + 1, tag - 1});
    }
    return spans;
}

// Forbids a label to start from one row to another, or demands that it starts at one.
struct Edit {
    ptrdiff_t label, first, last;
    bool is_demanded;
};

struct Violation {
    ptrdiff_t label = -1;  // -1 for none
    ptrdiff_t row = 0;
};

// The sequences that obey some edits.
struct Node {
    double bound = 0;  // none of them scores more
    std::vector<Edit> edits;
    Tags tags;  // the best of them; empty as long as it was not looked for
    Violation violation;
};

using NodePointer = std::shared_ptr<Node>;

// The best-first search for the tags of one sequence.
class Search {
public:
    Search(const TagRows& rows, const Constraints& constraints, const unsigned char* allowed,
           Viterbi& viterbi)
        : constraints_(constraints), allowed_(allowed), viterbi_(viterbi), n_rows_(rows.n_rows),
          n_labels_(rows.n_labels), given_(rows) {}

    // tags: the best without constraints, if all their labels are allowed; written into.
    void run(Tags& tags, bool is_allowed) {
        Violation violation;
        const long long n_violations = count_violations(tags, violation);
        if (is_allowed && n_violations == 0) return;
        if (n_violations > constraints_.max_violations) {
            if (!is_allowed) {
                write_scores();
                viterbi_.run(own_, tags.data());
            }
            drop_violations(tags);
            return;
        }
        write_scores();
        root_ = std::make_shared<Node>();
        root_->bound = std::numeric_limits<double>::infinity();
        if (is_allowed) {
            root_->tags = tags;
            root_->violation = violation;
        }
        push(root_);
        long long n_decoded = 0;
        while (!open_.empty()) {
            const NodePointer node = open_.top().node;
            if (node->tags.empty()) {
                if (n_decoded++ >= constraints_.max_nodes) break;
                open_.pop();
                solve(*node);
                push(node);
            } else if (node->violation.label < 0) {
                tags = node->tags;
                return;
            } else {
                open_.pop();
                if (constraints_.needs[node->violation.label] < 0) split_repeated(*node);
                else split_dependent(*node);
            }
        }
        give_up(tags);
    }

private:
    struct Open {
        double bound;
        long long age;
        NodePointer node;
        bool operator<(const Open& other) const {
            return bound != other.bound ? bound < other.bound : age > other.age;
        }
    };

    void push(NodePointer node) {
        const double bound = node->bound;
        open_.push({bound, n_pushed_++, std::move(node)});
    }

    // The best tags known that satisfy the constraints.
    void give_up(Tags& tags) {
        if (root_->tags.empty()) {
            root_->tags.resize(n_rows_);
            restore();
            viterbi_.run(own_, root_->tags.data());
        }
        tags = root_->tags;
        drop_violations(tags);
        double best = sum(tags);
        for (; !open_.empty(); open_.pop()) {
            const NodePointer& node = open_.top().node;
            if (node->tags.empty() || node == root_) continue;
            Tags other = node->tags;
            drop_violations(other);
            const double total = sum(other);
            if (total > best) {
                best = total;
                tags = std::move(other);
            }
        }
    }

    // Copies the scores, so that edits can be written into them.
    void write_scores() {
        none_.resize(n_rows_);
        begin_.resize(n_rows_ * n_labels_);
        inside_.resize(n_rows_ * n_labels_);
        for (ptrdiff_t row = 0; row < n_rows_; row++) {
            none_[row] = score_of(given_, row, 0);
            for (ptrdiff_t label = 0; label < n_labels_; label++) {
                const bool is_possible = allowed_ == nullptr || allowed_[label];
                const ptrdiff_t at = row * n_labels_ + label;
                begin_[at] = is_possible ? score_of(given_, row, 1 + label) : FORBIDDEN;
                inside_[at] = is_possible ? score_of(given_, row, 1 + n_labels_ + label) : FORBIDDEN;
            }
        }
        edited_none_ = none_;
        edited_begin_ = begin_;
        edited_inside_ = inside_;
        own_ = {n_rows_, n_labels_, edited_none_.data(), 1, edited_begin_.data(),
                edited_inside_.data(), n_labels_, nullptr, nullptr};
    }

    void restore() {
        edited_none_ = none_;
        edited_begin_ = begin_;
        edited_inside_ = inside_;
    }

    double sum(const Tags& tags) const {
        const TagRows rows = {n_rows_, n_labels_, none_.data(), 1, begin_.data(), inside_.data(),
                              n_labels_, nullptr, nullptr};
        double total = 0;
        for (ptrdiff_t row = 0; row < n_rows_; row++) total += score_of(rows, row, tags[row]);
        return total;
    }

    // Finds the best sequence of a node, its sum and a violation in it.
    void solve(Node& node) {
        restore();
        for (const Edit& edit : node.edits) {
            if (edit.is_demanded) continue;
            for (ptrdiff_t row = edit.first; row < edit.last; row++)
                edited_begin_[row * n_labels_ + edit.label] = FORBIDDEN;
        }
        for (const Edit& edit : node.edits) {
            if (!edit.is_demanded) continue;
            const ptrdiff_t at = edit.first * n_labels_;
            const float kept = edited_begin_[at + edit.label];
            edited_none_[edit.first] = VERY_LOW;
            std::fill_n(&edited_begin_[at], n_labels_, FORBIDDEN);
            std::fill_n(&edited_inside_[at], n_labels_, FORBIDDEN);
            edited_begin_[at + edit.label] = kept;
        }
        node.tags.resize(n_rows_);
        viterbi_.run(own_, node.tags.data());
        node.bound = sum(node.tags);
        count_violations(node.tags, node.violation);
    }

    // Finds one violation, and how many spans violate a constraint.
    long long count_violations(const Tags& tags, Violation& violation) {
        violation = {};
        const std::vector<Span> spans = spans_of(tags, n_labels_);
        first_start_.assign(n_labels_, -1);
        for (const Span& span : spans)
            if (first_start_[span.label] < 0) first_start_[span.label] = span.start;
        long long count = 0;
        Violation dependent;
        for (const Span& span : spans) {
            const ptrdiff_t first = first_start_[span.label], needed = constraints_.needs[span.label];
            if (constraints_.is_unique[span.label] && span.start != first) {
                count++;
                if (violation.label < 0 || span.label < violation.label)
                    violation = {span.label, span.start};
            }
            if (needed < 0) continue;
            const ptrdiff_t other = first_start_[needed];
            if (other < 0 || (constraints_.needs_before[span.label] && other > span.start)) {
                count++;
                if (dependent.label < 0) dependent = {span.label, span.start};
            }
        }
        if (violation.label < 0) violation = dependent;
        return count;
    }

    // Drops spans until the constraints are satisfied: of a repeated label the later ones.
    void drop_violations(Tags& tags) const {
        std::vector<Span> spans = spans_of(tags, n_labels_), kept;
        while (true) {
            std::vector<char> everywhere(n_labels_, 0), before(n_labels_, 0);
            for (const Span& span : spans) everywhere[span.label] = 1;
            kept.clear();
            for (const Span& span : spans) {
                const ptrdiff_t needed = constraints_.needs[span.label];
                const bool is_repeated = constraints_.is_unique[span.label] && before[span.label];
                const std::vector<char>& known =
                    constraints_.needs_before[span.label] ? before : everywhere;
                if (is_repeated || (needed >= 0 && !known[needed])) continue;
                before[span.label] = 1;
                kept.push_back(span);
            }
            if (kept.size() == spans.size()) break;
            std::swap(spans, kept);
        }
        std::fill(tags.begin(), tags.end(), 0);
        for (const Span& span : spans) {
            std::fill(tags.begin() + span.start, tags.begin() + span.end, 1 + n_labels_ + span.label);
            tags[span.start] = 1 + span.label;
        }
    }

    void push_child(const Node& node, double bound, const std::vector<Edit>& edits) {
        for (const Edit& old : node.edits)
            for (const Edit& edit : edits)
                if (old.is_demanded && old.label == edit.label && edit.first <= old.first &&
                    old.first < edit.last && !edit.is_demanded)
                    return;  // forbids what an older edit demands
        auto child = std::make_shared<Node>();
        child->bound = bound;
        child->edits = node.edits;
        child->edits.insert(child->edits.end(), edits.begin(), edits.end());
        push(std::move(child));
    }

    // Splits a node in whose best sequence labels that must be unique are there more than once:
    // such a label starts either before the second of its rows, or from there up to the third, and
    // so on. All labels are taken at once, as long as there are few parts.
    void split_repeated(const Node& node) {
        std::vector<ptrdiff_t> order;  // labels by their first row
        std::vector<std::vector<ptrdiff_t>> starts(n_labels_);
        for (const Span& span : spans_of(node.tags, n_labels_)) {
            if (starts[span.label].empty()) order.push_back(span.label);
            starts[span.label].push_back(span.start);
        }
        std::vector<std::vector<Edit>> parts;
        for (const ptrdiff_t label : order) {
            const std::vector<ptrdiff_t>& own = starts[label];
            if (own.size() < 2 || !constraints_.is_unique[label]) continue;
            if (parts.empty()) parts.emplace_back();
            else if (parts.size() * own.size() > MAX_PARTS) continue;
            std::vector<std::vector<Edit>> finer;
            for (const std::vector<Edit>& part : parts) {
                for (size_t i = 0; i < own.size(); i++) {
                    const ptrdiff_t first = i ? own[i] : 0;
                    const ptrdiff_t last = i + 1 < own.size() ? own[i + 1] : n_rows_;
                    finer.push_back(part);
                    if (first > 0) finer.back().push_back({label, 0, first, false});
                    if (last < n_rows_) finer.back().push_back({label, last, n_rows_, false});
                }
            }
            parts = std::move(finer);
        }
        for (const std::vector<Edit>& part : parts) push_child(node, node.bound, part);
    }

    // Splits a node in whose best sequence a label lacks another one. It is either forbidden there
    // (C-x: up to that row, R-x: everywhere), or the other one starts at one of the possible rows.
    void split_dependent(const Node& node) {
        const ptrdiff_t label = node.violation.label, row = node.violation.row;
        const ptrdiff_t needed = constraints_.needs[label];
        const bool is_before = constraints_.needs_before[label];
        push_child(node, node.bound, {{label, 0, is_before ? row + 1 : n_rows_, false}});
        std::vector<char> is_possible(n_rows_, 1);
        for (const Edit& edit : node.edits)
            if (edit.is_demanded || edit.label == needed)
                std::fill(is_possible.begin() + edit.first, is_possible.begin() + edit.last, 0);
        if (highest_.empty()) {
            for (ptrdiff_t at = 0; at < n_rows_; at++) {
                const auto begin = begin_.begin() + at * n_labels_;
                const auto inside = inside_.begin() + at * n_labels_;
                const float top = std::max(*std::max_element(begin, begin + n_labels_),
                                           *std::max_element(inside, inside + n_labels_));
                highest_.push_back(std::max(none_[at], top));
                total_ += highest_.back();
            }
        }
        for (ptrdiff_t at = 0; at < (is_before ? row : n_rows_); at++) {
            const float begin = begin_[at * n_labels_ + needed];
            if (!is_possible[at] || begin == FORBIDDEN) continue;
            const double bound = total_ - (static_cast<double>(highest_[at]) - begin);
            push_child(node, std::min(node.bound, bound), {{needed, at, at + 1, true}});
        }
    }

    const Constraints& constraints_;
    const unsigned char* allowed_;
    Viterbi& viterbi_;
    const ptrdiff_t n_rows_, n_labels_;
    const TagRows given_;
    std::vector<float> none_, begin_, inside_, edited_none_, edited_begin_, edited_inside_;
    TagRows own_{};
    std::vector<float> highest_;  // [rows], the highest score of each
    double total_ = 0;
    std::vector<ptrdiff_t> first_start_;
    std::priority_queue<Open> open_;
    long long n_pushed_ = 0;
    NodePointer root_;
};

}  // namespace

void decode(const TagRows& rows, ptrdiff_t first, const long long* lengths, ptrdiff_t n_sequences,
            long long* tags) {
    Viterbi viterbi;
    for (ptrdiff_t number = 0; number < n_sequences; first += lengths[number++])
        viterbi.run(from_row(rows, first, lengths[number]), tags + first);
}

void decode(const TagRows& rows, ptrdiff_t first, const long long* lengths, ptrdiff_t n_sequences,
            const Constraints& constraints, const unsigned char* allowed, long long* tags) {
    Viterbi viterbi;
    Tags own;
    for (ptrdiff_t number = 0; number < n_sequences; first += lengths[number++]) {
        const TagRows part = from_row(rows, first, lengths[number]);
        const unsigned char* possible =
            allowed == nullptr ? nullptr : allowed + number * rows.n_labels;
        own.resize(part.n_rows);
        if (viterbi.run(part, own.data())) {
            bool is_allowed = true;
            if (possible != nullptr)
                for (const long long tag : own)
                    is_allowed &= tag == 0 || possible[(tag - 1) % rows.n_labels];
            Search(part, constraints, possible, viterbi).run(own, is_allowed);
        }
        std::copy(own.begin(), own.end(), tags + first);
    }
}

}  // namespace mtl
