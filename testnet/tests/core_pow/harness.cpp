// Answers what Bitcoin Core expects of headers after made-up chains. Each line of the input is
//
//     NETWORK FIRST_HEIGHT FIRST_TIME FIRST_BITS RUNS (COUNT SECONDS)... QUERIES SECONDS...
//
// A chain starts at the first block of a period, whose nBits are given. A run adds blocks, each so many seconds after the
// one before, with the nBits that Core expects. Each query is a time in seconds after the last block. The answer has the
// nBits of the chain in runs of equal ones (their number, then "BITS COUNT" each), and then for each query the nBits that
// Core expects and whether it permits the step to them.

#include <chain.h>
#include <kernel/chainparams.h>
#include <pow.h>
#include <primitives/block.h>
#include <util/log.h>

#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

// Parts of Core's sources refer to these, but nothing here calls them.
namespace util { std::string ThreadGetInternalName() { return {}; } }
namespace util::log { void Log(Entry) {} }
std::chrono::seconds GetMockTime() { return {}; }

static unsigned int Next(const CBlockIndex& last, int64_t time, const Consensus::Params& params)
{
    CBlockHeader header;
    header.nTime = static_cast<uint32_t>(time);
    return GetNextWorkRequired(&last, &header, params);
}

static void Append(std::deque<CBlockIndex>& chain, int height, uint32_t time, uint32_t bits)
{
    CBlockHeader header;
    header.nTime = time;
    header.nBits = bits;
    CBlockIndex* below{chain.empty() ? nullptr : &chain.back()};
    CBlockIndex& block{chain.emplace_back(header)};
    block.nHeight = height;
    // No skip pointers: they would need the blocks below the first one.
    block.pprev = below;
}

int main()
{
    std::map<std::string, std::unique_ptr<const CChainParams>> networks;
    networks["main"] = CChainParams::Main();
    networks["signet"] = CChainParams::SigNet({});
    networks["testnet4"] = CChainParams::TestNet4();
    networks["regtest"] = CChainParams::RegTest({});
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream in{line};
        std::string network;
        int height, runs, queries;
        uint32_t time, bits;
        in >> network >> height >> time >> bits >> runs;
        const Consensus::Params& params{networks.at(network)->GetConsensus()};
        std::deque<CBlockIndex> chain;
        Append(chain, height, time, bits);
        for (int run{0}; run < runs; ++run) {
            int count, seconds;
            in >> count >> seconds;
            for (int i{0}; i < count; ++i) {
                const int64_t next{int64_t{chain.back().nTime} + seconds};
                Append(chain, chain.back().nHeight + 1, static_cast<uint32_t>(next), Next(chain.back(), next, params));
            }
        }
        std::vector<std::pair<uint32_t, int>> found;
        for (const CBlockIndex& block : chain) {
            if (found.empty() || found.back().first != block.nBits) found.emplace_back(block.nBits, 0);
            ++found.back().second;
        }
        std::cout << found.size();
        for (const auto& [of, count] : found) std::cout << ' ' << of << ' ' << count;
        const CBlockIndex& last{chain.back()};
        in >> queries;
        for (int query{0}; query < queries; ++query) {
            int64_t seconds;
            in >> seconds;
            const unsigned int expected{Next(last, int64_t{last.nTime} + seconds, params)};
            const bool permitted{PermittedDifficultyTransition(params, last.nHeight + 1, last.nBits, expected)};
            std::cout << ' ' << expected << ' ' << permitted;
        }
        std::cout << '\n';
    }
}
