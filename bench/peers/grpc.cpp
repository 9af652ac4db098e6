// gRPC: one stream of protobuf messages with TLS, by the synchronous interface. With a buffer hint
// it may hold writes back and send several at once.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <latch>
#include <memory>
#include <optional>
#include <string>

#include "certificate_files.h"
#include "messages.grpc.pb.h"
#include "peer.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

using messages::Bench;
using messages::Message;

constexpr auto kPatience = std::chrono::seconds(10);

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Either end of a stream.
template <class Stream>
class StreamLink : public Link {
 public:
  explicit StreamLink(Stream& stream) : stream_(stream) {}

  void send(BytesView message) override {
    outgoing_.set_content(message.data(), message.size());
    require(stream_.Write(outgoing_, options_), "the stream ended");
  }
  BytesView receive() override {
    require(stream_.Read(&incoming_), "the stream ended");
    return std::as_bytes(std::span(incoming_.content()));
  }
  void hold_writes_back() { options_.set_buffer_hint(); }

 private:
  Stream& stream_;
  grpc::WriteOptions options_;
  Message outgoing_;
  Message incoming_;
};

using ServerStream = grpc::ServerReaderWriter<Message, Message>;
using ClientStream = grpc::ClientReaderWriter<Message, Message>;

class ClientLink final : public StreamLink<ClientStream> {
 public:
  ClientLink(std::unique_ptr<Bench::Stub> stub, std::unique_ptr<grpc::ClientContext> context,
             std::unique_ptr<ClientStream> stream)
      : StreamLink(*stream),
        stub_(std::move(stub)),
        context_(std::move(context)),
        stream_(std::move(stream)) {}

  void finish() override { require(stream_->WritesDone(), "the stream ended"); }

 private:
  std::unique_ptr<Bench::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<ClientStream> stream_;
};

// Gives its one stream to `use`, on a thread of gRPC.
class Service final : public Bench::Service {
 public:
  explicit Service(std::function<void(Link&)> use) : use_(std::move(use)) {}

  grpc::Status Sink(grpc::ServerContext*, ServerStream* stream) override { return serve(*stream); }
  grpc::Status Echo(grpc::ServerContext*, ServerStream* stream) override { return serve(*stream); }
  void await_end() { ended_.wait(); }

 private:
  grpc::Status serve(ServerStream& stream) {
    StreamLink link(stream);
    use_(link);
    ended_.count_down();
    return grpc::Status::OK;
  }

  std::function<void(Link&)> use_;
  std::latch ended_{1};
};

class Grpc final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    return {.name = "grpc", .version = grpc::Version(), .variants = {"tls", "tls-hint"}};
  }

  void prepare(const Plan&) override { files_.emplace(); }

  void receive(const Plan&, apps::Conversation& sender, std::span<Receipt> receipts) override {
    serve(sender, [&receipts](Link& link) { receive_all(link, receipts.front()); });
  }

  void echo(const Plan&, apps::Conversation& sender) override { serve(sender, echo_all); }

  std::unique_ptr<Link> open(const Plan& plan, apps::Conversation& receiver) override {
    grpc::SslCredentialsOptions trust;
    trust.pem_root_certs = content_of(files_->chain());
    // By address: a name would be looked up, and where no name server answers that takes seconds.
    const std::string target = "127.0.0.1:" + std::to_string(heard<int>(receiver));
    const auto channel = grpc::CreateChannel(target, grpc::SslCredentials(trust));
    require(channel->WaitForConnected(std::chrono::system_clock::now() + kPatience), "connect");
    auto stub = Bench::NewStub(channel);
    auto context = std::make_unique<grpc::ClientContext>();
    auto stream =
        plan.mode == Mode::kRoundTrip ? stub->Echo(context.get()) : stub->Sink(context.get());
    auto link =
        std::make_unique<ClientLink>(std::move(stub), std::move(context), std::move(stream));
    if (plan.variant == "tls-hint" && plan.mode == Mode::kOneWay) link->hold_writes_back();
    return link;
  }

 private:
  void serve(apps::Conversation& sender, std::function<void(Link&)> use) const {
    grpc::SslServerCredentialsOptions identity;
    identity.pem_key_cert_pairs.push_back({content_of(files_->key()), content_of(files_->chain())});
    Service service(std::move(use));
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(identity), &port);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    require(server != nullptr, "gRPC cannot listen");
    sender.tell(port);
    service.await_end();
    // At once: otherwise it waits some seconds for the client to ask how the stream ended.
    server->Shutdown(std::chrono::system_clock::now());
  }

  std::optional<CertificateFiles> files_;
};

}  // namespace
}  // namespace orzatty::peers

int main(int count, char** words) {
  orzatty::peers::Grpc peer;
  return orzatty::peers::run(peer, count, words);
}
