// Judges blocks with Bitcoin Core's own functions, under mainnet's parameters but for proof of work, for which regtest's limit
// holds. Each line of the input is one of
//
//     coin TXID VOUT SATOSHI SCRIPT      an output that blocks may spend
//     block HEIGHT MEDIAN_TIME BLOCK     a block, whose parent has that median time
//
// and each block gets a line: "valid WEIGHT SIGOPS FEES SUBSIDY PAID", or the reason why it is not valid.

#include <chainparams.h>
#include <coins.h>
#include <consensus/consensus.h>
#include <consensus/tx_verify.h>
#include <consensus/validation.h>
#include <pow.h>
#include <primitives/block.h>
#include <script/interpreter.h>
#include <streams.h>
#include <util/strencodings.h>
#include <validation.h>

#include <iostream>
#include <sstream>
#include <stdexcept>

using Reason = std::runtime_error;

constexpr auto FLAGS{SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | SCRIPT_VERIFY_CHECKSEQUENCEVERIFY |
                     SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_NULLDUMMY | SCRIPT_VERIFY_TAPROOT};

static void CheckScripts(const CTransaction& tx, const CCoinsViewCache& coins)
{
    std::vector<CTxOut> spent;
    for (const auto& in : tx.vin) spent.push_back(coins.AccessCoin(in.prevout).out);
    PrecomputedTransactionData data;
    data.Init(tx, std::vector<CTxOut>{spent});
    for (unsigned int i{0}; i < tx.vin.size(); ++i) {
        TransactionSignatureChecker checker{&tx, i, spent[i].nValue, data, MissingDataBehavior::FAIL};
        ScriptError error;
        if (!VerifyScript(tx.vin[i].scriptSig, spent[i].scriptPubKey, &tx.vin[i].scriptWitness, FLAGS, checker, &error)) {
            throw Reason{"script: " + ScriptErrorString(error)};
        }
    }
}

static std::string Judge(int height, int64_t median_time, const CBlock& block, CCoinsViewCache& known)
{
    const auto main{CChainParams::Main()}, regtest{CChainParams::RegTest({})};
    BlockValidationState state;
    if (!CheckBlock(block, state, main->GetConsensus(), /*fCheckPOW=*/false)) throw Reason{state.ToString()};
    if (!CheckProofOfWork(block.GetHash(), block.nBits, regtest->GetConsensus())) throw Reason{"high-hash"};
    if (IsBlockMutated(block, /*check_witness_root=*/true)) throw Reason{"mutated, or its witness commitment is wrong"};
    if (block.nVersion < 4) throw Reason{"bad-version"};
    if (block.GetBlockTime() <= median_time) throw Reason{"time-too-old"};
    // BIP-0034, as ContextualCheckBlock has it.
    const CScript start{CScript() << height};
    const CScript& sig{block.vtx[0]->vin[0].scriptSig};
    if (sig.size() < start.size() || !std::equal(start.begin(), start.end(), sig.begin())) throw Reason{"bad-cb-height"};

    CCoinsViewCache coins{&known};
    CAmount fees{0};
    int64_t sigops{0};
    for (const auto& tx : block.vtx) {
        if (!IsFinalTx(*tx, height, median_time)) throw Reason{"bad-txns-nonfinal"};
        if (!tx->IsCoinBase()) {
            CAmount fee;
            TxValidationState tx_state;
            if (!Consensus::CheckTxInputs(*tx, tx_state, coins, height, fee)) throw Reason{tx_state.ToString()};
            fees += fee;
            CheckScripts(*tx, coins);
        }
        sigops += GetTransactionSigOpCost(*tx, coins, FLAGS);
        for (const auto& in : tx->vin) coins.SpendCoin(in.prevout);
        AddCoins(coins, *tx, height, /*check_for_overwrite=*/true);
    }
    if (sigops > MAX_BLOCK_SIGOPS_COST) throw Reason{"bad-blk-sigops"};
    const int64_t weight{GetBlockWeight(block)};
    if (weight > MAX_BLOCK_WEIGHT) throw Reason{"bad-blk-weight"};
    const CAmount subsidy{GetBlockSubsidy(height, main->GetConsensus())}, paid{block.vtx[0]->GetValueOut()};
    if (paid > subsidy + fees) throw Reason{"bad-cb-amount"};
    std::ostringstream out;
    out << "valid " << weight << ' ' << sigops << ' ' << fees << ' ' << subsidy << ' ' << paid;
    return out.str();
}

int main()
{
    auto& nothing{CoinsViewEmpty::Get()};
    CCoinsViewCache known{&nothing};
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream in{line};
        std::string kind, hex;
        in >> kind;
        if (kind == "coin") {
            uint32_t vout;
            CAmount value;
            std::string script;
            in >> hex >> vout >> value >> script;
            const auto txid{Txid::FromHex(hex)};
            const auto bytes{ParseHex(script)};
            known.AddCoin(COutPoint{*txid, vout}, Coin{CTxOut{value, CScript(bytes.begin(), bytes.end())}, 1, false}, true);
            continue;
        }
        int height;
        int64_t median_time;
        in >> height >> median_time >> hex;
        CBlock block;
        try {
            DataStream{ParseHex(hex)} >> TX_WITH_WITNESS(block);
            std::cout << Judge(height, median_time, block, known) << std::endl;
        } catch (const std::exception& reason) {
            std::cout << reason.what() << std::endl;
        }
    }
}
